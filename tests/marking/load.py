"""The page with a large class: how long a page and a mark take, and whether many markers at once lose anything.

    python -m tests.marking.load [--students 1000] [--parts 12] [--markers 10] [--marks 10000]

Markers are threads that ask and send as the page does; they meet at the same answers again and again, so many marks are
refused. At the end every acknowledged mark must be in the log, none may stand on a mark that its giver had not seen,
and points worked out anew from the log must be those that the page and the reports show.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from grader.classes.results_folder import read_results
from grader.marking.events import Mark, Rubric
from grader.marking.given import add_marks
from grader.marking.store import Ledger
from tests.marking.classroom import make_class, many_parts
from tests.marking.running import Client, Running

_ITEMS = (("a", -1.0), ("b", -2.5), ("c", -4.0))


@dataclass
class Work:
    """What one simulated marker did."""

    acknowledged: dict[int, tuple[str, str]] = field(default_factory=dict)  # event to student's number and check
    refused: int = 0
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def prepare(client: Client, checks: list[str]) -> None:
    """A small rubric for every part."""
    for check in checks:
        for place, (item, points) in enumerate(_ITEMS):
            body = {"id": item, "points": points, "words": f"item {item}: no $x_{place}$", "place": place}
            assert client.send("item", check=check, base=0, item=body)[0] == 200


def mark_many(client: Client, checks: list[str], count: int, seed: int, work: Work) -> None:
    """Mark until so many are acknowledged; every sixth mark goes to one of three answers that all go to."""
    chance = random.Random(seed)
    hot = sorted(hit["id"] for hit in client.get("search", check=checks[0])["found"])[:3]
    try:
        while len(work.acknowledged) < count:
            check = chance.choice(checks)
            place = client.get("open", check=check)["open"] or {"check": checks[0], "id": chance.choice(hot)}
            while place is not None and len(work.acknowledged) < count:
                answer = client.get("answer", **place)
                if chance.random() < 1 / 5:
                    time.sleep(chance.random() / 20)  # somebody thinks, and others come
                _mark(client, answer, chance, work)
                place = answer["open"]
                if chance.random() < 1 / 6:  # where all others go, too
                    place = {"check": checks[0], "id": chance.choice(hot)}
                if chance.random() < 1 / 10:
                    break  # another part: others are there as well
    except Exception as error:  # of a thread: the main one says so
        work.faults.append(repr(error))


def mark_again(client: Client, check: str, count: int, work: Work) -> None:
    """Change one answer's mark so often, with nothing asked between: what storing takes by itself."""
    answer = client.get("answer", **client.get("open", check=check)["open"])
    for n in range(count):
        _mark(client, answer, random.Random(n), work)
        answer["base"] = max(work.acknowledged)


def _mark(client: Client, answer: dict, chance: random.Random, work: Work) -> None:
    items = [item for item, _ in _ITEMS if chance.random() < 0.3]
    mark = {"items": items, "comment": chance.choice(["", "See $x$."]), "change": 0, "reason": ""}
    began = time.perf_counter()
    status, done = client.send(
        "mark", check=answer["check"], id=answer["id"], digest=answer["digest"], base=answer["base"], mark=mark
    )
    work.seconds.append(time.perf_counter() - began)
    if status == 200:
        work.acknowledged[done["base"]] = (answer["id"], answer["check"])
    elif status == 409:
        work.refused += 1
    else:
        work.faults.append(f"{status} {done}")


def simulate(page: Running, checks: list[str], count: int, markers: int) -> list[Work]:
    """Let markers work at once until they have given so many marks together."""
    clients = [page.client(address) for address in page.colleagues[:markers]]
    works = [Work() for _ in clients]
    threads = [
        threading.Thread(target=mark_many, args=(client, checks, count // markers, n, works[n]))
        for n, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return works


def faults_of(folder: Path, works: list[Work], shown: dict[str, float]) -> list[str]:
    """Everything that is not as it must be.

    Args:
        folder: Of the results, nobody writing there any more.
        works: What the markers were told.
        shown: By part, the mean that the page showed at the end.
    """
    with closing(Ledger(folder)) as ledger:
        events, state = ledger.events(), ledger.state
    found = [fault for work in works for fault in work.faults]
    marks = [event for event in events if event.kind == "mark"]
    acknowledged = [number for work in works for number in work.acknowledged]
    stored = {event.id for event in marks}
    found += [f"event {number} was acknowledged and is lost" for number in set(acknowledged) - stored]
    found += [f"event {number} was stored and never acknowledged" for number in stored - set(acknowledged)]
    found += [f"event {number} was acknowledged twice" for number, times in Counter(acknowledged).items() if times > 1]
    latest = {(event.student, event.check): event for event in marks}  # worked out beside `State`, from the log alone
    for (student, check), event in latest.items():
        top = state.top("mark", student, check, "")
        if top is None or top.id != event.id:
            found.append(f"{check} of {student}: the state is not what the log says")
    found += _totals(folder, latest, state.rubric, shown)
    return found


def _totals(folder: Path, latest: dict, rubric_of, shown: dict[str, float]) -> list[str]:
    found, by_part = [], {}
    results, _ = add_marks(folder, list(read_results(folder).values()))
    for result in results:
        for test in result["tests"]:
            facts = test["extra_data"]
            event = latest.get((result["extra_data"]["student"], facts["check"]))
            if event is None:
                continue
            rubric: Rubric = rubric_of(facts["check"])
            expected = max(0.0, facts["points"] + sum(dict(_ITEMS)[item] for item in Mark.of(event.body).items))
            if rubric.points(Mark.of(event.body), facts["points"]) != expected or test["score"] != expected:
                found.append(
                    f"{facts['check']} of {event.student}: {test['score']} in the reports, {expected} in the log"
                )
            by_part.setdefault(facts["check"], []).append(expected)
    for check, points in by_part.items():
        if shown.get(check) is None or abs(shown[check] - statistics.fmean(points)) > 1e-9:
            found.append(
                f"{check}: the page shows a mean of {shown.get(check)}, the log gives {statistics.fmean(points)}"
            )
    return found


def means(client: Client) -> dict[str, float]:
    return {part["check"]: part["mean"] for part in client.get("overview")["parts"]}


def page_times(client: Client, process: psutil.Process, checks: list[str], count: int) -> dict[str, list[float]]:
    """Seconds for each kind of page, asked so often, each time for another answer; first those of the processor alone."""
    places = [hit["id"] for hit in client.get("search", check=checks[0])["found"]]
    chance = random.Random(7)
    asks = {
        "the page itself": lambda: "/mark/x",
        "all parts": lambda: "/api/overview",
        "a part, its rubric and solution": lambda: f"/api/part?check={chance.choice(checks)}",
        "an answer, formulas and neighbours": lambda: (
            f"/api/answer?check={chance.choice(checks)}&id={chance.choice(places)}"
        ),
        "the next that waits": lambda: f"/api/open?check={chance.choice(checks)}",
        "its picture": lambda: f"/picture/{checks[-1]}/{chance.choice(places)}/0",
        "a student": lambda: f"/api/student?id={chance.choice(places)}",
        "all students": lambda: "/api/students",
        "a search": lambda: f"/api/search?check={chance.choice(checks)}&words=expectation",
        "the team": lambda: "/api/team",
    }
    found: dict[str, list[float]] = {name: [] for name in asks}
    for name, path in asks.items():
        before = sum(process.cpu_times()[:4])
        for _ in range(count):
            began = time.perf_counter()
            status, _, data = client.ask("GET", path())
            assert status == 200, (name, status, data[:200])
            found[name].append(time.perf_counter() - began)
        found[name].insert(0, (sum(process.cpu_times()[:4]) - before) / count)
    return found


def _table(times: dict[str, list[float]]) -> str:
    lines = [f"{'milliseconds':36} {'processor':>9} {'median':>8} {'95 %':>8} {'most':>8}"]
    for name, (processor, *seconds) in times.items():
        own = sorted(1000 * s for s in seconds)
        cells = (statistics.median(own), own[int(0.95 * (len(own) - 1))], own[-1])
        lines.append(f"{name:36} {1000 * processor:9.1f} " + " ".join(f"{cell:8.1f}" for cell in cells))
    return "\n".join(lines)


def bare_disk(folder: Path, count: int = 40) -> list[float]:
    """Seconds that one page takes to the disk and no further: what a stored mark cannot be quicker than."""
    found = [0.0]
    with (folder / "bare").open("wb") as file:
        for _ in range(count):
            began = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            found.append(time.perf_counter() - began)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the marking page with a large class and many markers.")
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--parts", type=int, default=12)
    parser.add_argument("--markers", type=int, default=10)
    parser.add_argument("--marks", type=int, default=10_000)
    parser.add_argument("--asks", type=int, default=40, help="times each kind of page is asked for")
    options = parser.parse_args()
    parts = many_parts(options.parts)
    checks = [part[0] for part in parts]
    with tempfile.TemporaryDirectory(prefix="marking-") as place:
        folder = make_class(Path(place) / "results", options.students, parts)
        colleagues = [word for n in range(options.markers) for word in ("--colleague", f"Marker {n}")]
        began = time.perf_counter()
        with Running(folder, *colleagues) as page:
            print(
                f"{options.students} students, {options.parts} parts: open after {time.perf_counter() - began:.1f} s."
            )
            lead = page.client()
            prepare(lead, checks)
            process, alone = psutil.Process(page.process.pid), Work()
            before, count = sum(process.cpu_times()[:2]), min(200, options.marks)
            mark_again(lead, checks[-1], count, alone)
            processor = (sum(process.cpu_times()[:2]) - before) / count
            print(_table({"4 KiB to the disk, bare": bare_disk(folder), "a mark stored": [processor, *alone.seconds]}))
            began = time.perf_counter()
            works = simulate(page, checks, options.marks, options.markers)
            print(
                f"{sum(len(w.acknowledged) for w in works)} marks by {options.markers} markers at once in "
                f"{time.perf_counter() - began:.0f} s, {sum(w.refused for w in works)} more refused as stale."
            )
            print(_table(page_times(lead, process, checks, options.asks)))
            shown = means(lead)
            page.kill()
        faults = faults_of(folder, [alone, *works], shown)
    print("\n".join(faults[:20]) or "0 lost, 0 overwritten; log, page and reports agree.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
