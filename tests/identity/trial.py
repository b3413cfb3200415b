"""One random class through the real code, judged by the truth alone.

The judge knows who handed in what, because it made the class, and the rules of identity; it does not know how they are
carried out. It demands four things:

- what is written in a row is the newest hand-in of the person of that row, and of nobody else's;
- of whom more than one hand-in counts, gets nothing where the file knows both, and no other is passed over in silence;
- of whose files nobody can know which is the latest, gets nothing;
- who is known beyond doubt gets the points: one hand-in, with a true id of a kind that the file holds for them.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from grader.classes.sorting import by_notebook
from grader.platforms import HandIn, collect, content, read_roster
from grader.platforms.gradebooks import ALSO, fill, read_gradebook
from grader.platforms.hand_ins import Candidate, candidates
from grader.platforms.tables import plain_text, read_table
from grader.records import Inside, Report
from grader.report import results_json
from tests.identity.books import BOOKS, TITLE, roster
from tests.identity.downloads import PLATFORMS, Download, Truth, token_of
from tests.identity.people import university
from tests.support import one_verdict


@dataclass
class Trial:
    """What came of a class: what was wrong, and what it was about."""

    faults: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)


def run_trial(seed: int, number: int, folder: Path) -> Trial:
    """Make a class, collect it, fill a grade file, and hold the outcome against the truth.

    Args:
        seed, number: The class follows from these alone.
        folder: An empty folder.
    """
    rng = random.Random(f"{seed} {number}")
    trial, truth, people = Trial(), Truth(), university(rng)
    trusts_names = rng.random() < 0.15
    handed_in = [person for person in people if rng.random() < 0.8] or people[:1]
    in_book = [p for p in people if trusts_names or rng.random() < 0.8]
    book = BOOKS[rng.choice(list(BOOKS))](rng, rng.sample(in_book, len(in_book)))
    twists = all({"sis", "email"} <= set(kinds) for kinds in book.kinds.values())
    downloads = [PLATFORMS[rng.choice(list(PLATFORMS))](rng, truth, handed_in, twists)]
    if rng.random() < 0.25:  # the download of last week lies beside it, or a second platform was used
        again = [person for person in handed_in if rng.random() < 0.5]
        downloads += [PLATFORMS[rng.choice(list(PLATFORMS))](rng, truth, again, twists)] if again else []
    (folder / "book.csv").write_text(book.text, encoding="utf-8", newline="")
    directory = None
    if rng.random() < 0.4:
        on_list = [p for p in people if trusts_names or rng.random() < 0.8] or people[:1]
        (folder / "roster.csv").write_text(roster(rng, on_list), encoding="utf-8", newline="")
        directory = read_roster(folder / "roster.csv")
    paths = [_laid_out(one, folder / f"download{n}") for n, one in enumerate(downloads)]
    collection = collect(paths, directory, trust_names=trusts_names)
    results = [result for hand_in in collection.hand_ins if (result := _graded(hand_in)) is not None]
    if not in_book:
        return trial
    summary = fill(read_gradebook(folder / "book.csv"), results, folder / "out", trust_names=trusts_names, also=ALSO)
    before, after = (read_table(path).rows for path in (folder / "book.csv", folder / "out" / "book.csv"))
    written = {}
    for who, old, new in zip(book.who, before[1:], after[1:], strict=True):
        if old == new:
            continue
        if who is None or old[: book.column] + old[book.column + 1 :] != new[: book.column] + new[book.column + 1 :]:
            trial.faults.append(f"something else was written: {new}")
        else:
            written[who] = int(plain_text(new[book.column]))
    called = {result["score"]: result["extra_data"]["student"] for result in results}
    _judge(trial, truth, written, summary, called, downloads, book.kinds)
    return trial


def _laid_out(download: Download, folder: Path) -> Path:
    for name, data in download.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def _graded(hand_in: HandIn) -> dict | None:
    """Results whose score is the token of the file that is chosen, by the code that chooses in a real run."""
    found = [(one, _look(one)) for one in candidates(hand_in)] if hand_in.files else []
    ((hand_in,),) = by_notebook([(hand_in, found)]).values()
    token = token_of(content(hand_in)[1]) if hand_in.files else None
    if token is None:
        return None
    verdict = one_verdict(points=token)
    results = results_json(
        Report(
            student=hand_in.student,
            file_name="hw.ipynb",
            notebook=TITLE,
            submission_sha256="0",
            tier="A",
            verdicts=(verdict,),
        )
    )
    results["extra_data"] |= hand_in.about()
    return results


def _look(candidate: Candidate) -> tuple[Inside, ...]:
    """A notebook with a token is one with an answer."""
    name, data = candidate.packed()
    token = token_of(data)
    return (Inside(name, TITLE, 1, 1, str(token)),) if token else ()


def _judge(
    trial: Trial,
    truth: Truth,
    written: dict[int, int],
    summary: str,
    called: dict[int, str],
    downloads: list[Download],
    in_book: dict[int, dict[str, str]],
) -> None:
    for person, token in written.items():
        if person not in truth.owners[token]:
            trial.faults.append(f"the points of {set(truth.owners[token])} were written to {person}: {summary}")
        elif token in truth.replaced:
            trial.faults.append(f"an older upload of {person} won: {summary}")
        elif token in truth.undecided:
            trial.faults.append(f"of {person} one of several files was taken by chance: {summary}")
        for other in truth.of(person):
            if other != token and (label := called.get(other, "what got no result")) not in summary:
                trial.faults.append(f"{person} handed in {label} too, which nobody is told: {summary}")
    twisted = {person for download in downloads for person in download.twisted}
    for person, kinds in in_book.items():
        said = [download.known[person] for download in downloads if person in download.known]
        proofs = sum(any(kinds.get(kind) == value for kind, value in one.items()) for one in said)
        if person in twisted:
            trial.seen["with ids that contradict each other"] += 1
            if person in written and len(said) == 1:
                trial.faults.append(f"{person} is known by {said}, which contradict each other: {summary}")
        elif proofs > 1:
            trial.seen["handed in more than once"] += 1
            if person in written:
                trial.faults.append(f"{person} handed in {proofs} times, one won: {summary}")
        elif len(truth.of(person)) == 1 and proofs and not truth.undecided & set(truth.of(person)):
            trial.seen["known beyond doubt"] += 1
            if person not in written:
                trial.faults.append(f"{person} is known by {said[0]} and got nothing: {summary}")
        elif person in written:
            trial.seen["known by way of the roster, or by a trusted name"] += 1
        elif truth.of(person):
            trial.seen["left to a person"] += 1
        else:
            trial.seen["handed in nothing"] += 1
