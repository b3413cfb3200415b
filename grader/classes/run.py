"""A run over a class: keep what still holds, grade the rest in a pool, write every result as it comes."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from grader.classes.batch import Settings, Work, encode, fault_results, grade_hand_in, still_holds, tier_here
from grader.classes.pool import Pool, PoolLost, WorkerDied
from grader.classes.results_folder import ResultsFolder
from grader.platforms import HandIn, content
from grader.records import Report, Seat
from grader.sandbox.room import NoRoom
from grader.stages.intake import MAX_ZIP_BYTES

Results = dict[str, Any]
_MOST_BYTES = 64 * 2**20  # of hand-ins that wait for a worker


class WeakIsolation(RuntimeError):
    """The workers' isolation is weaker than asked for; `tier` is what they offer."""

    def __init__(self, tier: str) -> None:
        super().__init__(tier)
        self.tier = tier


def kept_results(
    hand_ins: Iterable[HandIn], settings: Settings, folder: ResultsFolder, allowed: Callable[[str], bool]
) -> dict[str, Results]:
    """What earlier runs have already graded with the same bytes, grader, rubric, salt and options, by student.

    What was graded in an isolation that is not `allowed` now is graded again; "" stands for what never reached one.
    """
    kept = {}
    for hand_in in hand_ins:
        results = folder.results(hand_in.student)
        if results is None or not allowed(results["extra_data"]["tier"]):
            continue
        if still_holds(results, work_of(hand_in)[0], settings):
            kept[hand_in.student] = results
    return kept


def grade_all(
    hand_ins: list[HandIn],
    settings: Settings,
    folder: ResultsFolder,
    pool: Pool,
    allowed: Callable[[str], bool],
) -> Iterator[Results]:
    """Grade hand-ins and write their reports.

    Args:
        hand_ins: What is not graded yet.
        settings: Of the run.
        folder: Where the reports go, each as soon as it is there.
        pool: Runs the unit of work; twice as many hand-ins are in memory as it works on at a time.
        allowed: Whether an isolation tier will do.

    Yields:
        Results, in the order in which they are ready; of those ready at once, in that of the hand-ins.

    Raises:
        WeakIsolation: If the workers' tier is not allowed; nothing has been run then.
        SandboxError: If no sandbox starts.
        PoolLost: If nothing can be graded where hand-ins are graded.
    """
    seat, count = Seat(folder=folder.temporary), pool.count
    folder.prepare()
    tiers = [pool.submit(tier_here, settings, seat) for _ in range(count)]  # every worker starts its sandbox now
    tier = tiers[0].result()
    if not allowed(tier):
        raise WeakIsolation(tier)
    waiting: dict[Future, Work] = {}
    try:
        for hand_in in hand_ins:
            work, rejection = work_of(hand_in)
            if rejection:
                yield folder.write(_rejected(work, settings, rejection, tier))
                continue
            waiting[pool.submit(grade_hand_in, work, settings, seat)] = work
            while len(waiting) >= 2 * count or (len(waiting) > count and _bytes(waiting) > _MOST_BYTES):
                yield from _ready(waiting, settings, folder)
        while waiting:
            yield from _ready(waiting, settings, folder)
    finally:
        for future in waiting:
            future.cancel()


def _bytes(waiting: dict[Future, Work]) -> int:
    return sum(len(work.data) for work in waiting.values())


def _ready(waiting: dict[Future, Work], settings: Settings, folder: ResultsFolder) -> Iterator[Results]:
    done = wait(waiting, return_when=FIRST_COMPLETED).done  # a set, so those ready at once go in the order of the class
    for future in [future for future in waiting if future in done]:
        yield folder.write(_result(future, waiting.pop(future), settings))


def _result(future: Future, work: Work, settings: Settings) -> bytes:
    try:
        return future.result()
    except WorkerDied as error:
        return fault_results(work, settings, str(error))
    except (NoRoom, PoolLost):
        raise
    except Exception as error:  # ours, whatever it is: one hand-in must not stop a class
        return fault_results(work, settings, f"{type(error).__name__}: {error}")


def work_of(hand_in: HandIn) -> tuple[Work, str]:
    """A hand-in as the unit takes it, and why it cannot be graded, if its bytes say so already."""
    about = json.dumps(hand_in.about(), ensure_ascii=False)
    if hand_in.doubt:
        return Work(hand_in.student, "", b"", about), hand_in.doubt
    if not hand_in.files:
        return Work(
            hand_in.student, "", b"", about
        ), "No file was handed in: hand in the zip that the last cell of the notebook writes."
    name = hand_in.files[0].name if len(hand_in.files) == 1 else f"{hand_in.student}.zip"
    try:
        name, data = content(hand_in)
    except OSError as error:
        reason = " ".join(str(error.strerror or error).split())
        return Work(hand_in.student, name, b"", about), f"{name} cannot be read ({reason}): hand it in again."
    if len(data) > MAX_ZIP_BYTES:
        return Work(hand_in.student, name, b"", about), (
            f"{name} has more than {MAX_ZIP_BYTES // 2**20} MB: leave data sets and checkpoints out, clear large outputs, and zip it again."
        )
    return Work(hand_in.student, name, data, about), ""


def _rejected(work: Work, settings: Settings, sentence: str, tier: str) -> bytes:
    report = Report(
        student=work.student,
        file_name=work.file_name,
        notebook=settings.notebook or "",
        submission_sha256="",
        tier=tier,
        verdicts=(),
        rejection=sentence,
    )
    return encode(work, settings, report)
