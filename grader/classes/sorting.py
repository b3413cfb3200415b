"""Which file of a hand-in is graded as which notebook: by what somebody has worked on, and by what is known of the time.

A hand-in may be one notebook, four zips, one zip of four notebooks, or the whole course with one notebook solved. Each
notebook with an answer is graded on its own. Of several files with answers to the same notebook the latest counts, as the
platform numbers uploads, or else as the files' own names do; where neither says, nobody guesses: it is a person's to say.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from grader.classes.pool import Pool, WorkerDied
from grader.platforms import HandIn
from grader.platforms.hand_ins import Candidate, candidates, is_marked_version, version_of
from grader.records import Inside
from grader.stages.clock import READ_SECONDS, OutOfTime, clock
from grader.stages.intake import MAX_ZIP_BYTES, IntakeError, take_in_bytes
from grader.stages.notebook import survey
from utils.notebook.cells import NotebookError

_UNREADABLE = (IntakeError, NotebookError, OSError, OutOfTime, MemoryError, RecursionError, ValueError)
_SHOWN = 6

Looks = Sequence[tuple[Candidate, tuple[Inside, ...]]]
_Seen = list[tuple[Candidate, tuple[Inside, ...]]]


def look(data: bytes, name: str) -> tuple[Inside, ...]:
    """Which notebooks a file holds; none, where it cannot be read. A unit of work: it runs in any process."""
    try:
        with clock(READ_SECONDS):
            return survey(take_in_bytes(data, name, ""))
    except _UNREADABLE:
        return ()


def looked_at(hand_ins: Iterable[HandIn], pool: Pool) -> list[tuple[HandIn, Looks]]:
    """Look into every file of every hand-in that may be graded.

    Args:
        hand_ins: As a platform gave them.
        pool: Runs `look`; twice as many files are in memory as it works on at a time.
    """
    found: list[tuple[HandIn, Looks]] = []
    in_flight: deque[tuple[_Seen, Candidate, Future[tuple[Inside, ...]] | None]] = deque()

    def land() -> None:
        looks, candidate, future = in_flight.popleft()
        looks.append((candidate, _answer(future)))

    for hand_in in hand_ins:
        looks: _Seen = []
        found.append((hand_in, looks))
        for candidate in candidates(hand_in) if hand_in.files else []:
            if len(in_flight) >= 2 * pool.count:
                land()
            packed = _packed(candidate)
            in_flight.append((looks, candidate, pool.submit(look, *packed) if packed else None))
    while in_flight:
        land()
    return found


def _packed(candidate: Candidate) -> tuple[bytes, str] | None:
    try:
        name, data = candidate.packed()
    except OSError:
        return None
    return (data, name) if len(data) <= MAX_ZIP_BYTES else None


def _answer(future: "Future[tuple[Inside, ...]] | None") -> tuple[Inside, ...]:
    try:
        return future.result() if future else ()
    except WorkerDied:
        return ()


def by_notebook(found: Sequence[tuple[HandIn, Looks]], wanted: str | None = None) -> dict[str, list[HandIn]]:
    """The hand-ins of each notebook that somebody has worked on.

    Args:
        found: From `looked_at`.
        wanted: The only notebook that is asked for.

    Returns:
        For each notebook the hand-ins, each with the files that are graded as it. What holds no answer to any is among all
        of them: somebody handed in something, and has a line. Under "" where nobody has worked on any.
    """
    meant = [_meant(looks) for _, looks in found]
    names = [wanted] if wanted else sorted(set().union(*meant)) or [""]
    groups: dict[str, list[HandIn]] = {name: [] for name in names}
    for (hand_in, looks), own in zip(found, meant, strict=True):
        for name in names:
            if wanted or not own or name in own:
                groups[name].append(chosen(hand_in, looks, name))
    return groups


def _meant(looks: Looks) -> set[str]:
    """The notebooks that a hand-in is about: all with an answer, or the one that it holds."""
    inside = [one for _, own in looks for one in own]
    answered = {one.notebook for one in inside if one.answered}
    held = {one.notebook for one in inside}
    return answered or (held if len(held) == 1 else set())


def chosen(hand_in: HandIn, looks: Looks, notebook: str) -> HandIn:
    """A hand-in with the one file, or the files, that are graded as a notebook.

    Args:
        hand_in: As a platform gave it.
        looks: What its files hold.
        notebook: The assignment's name; "" where nobody knows.
    """
    if not looks:
        return hand_in
    own = [(one, _best(inside, notebook)) for one, inside in looks if any(i.notebook == notebook for i in inside)]
    answered = [(one, best) for one, best in own if best.answered]
    if not own:
        candidate = max((one for one, _ in looks), key=lambda one: (one.order, one.worth))
        return replace(hand_in, files=candidate.files)
    if not answered:
        untouched = max((one for one, _ in own), key=lambda one: (one.order, one.worth))
        return replace(hand_in, files=untouched.files, notebook=notebook)
    last = _latest(answered)
    if last is None:
        names = [one.name for one, _ in answered]
        listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        sentence = (
            f"{len(names)} files answer this notebook, and nothing says which is the latest ({listed}): "
            "hand in the one that counts, alone."
        )
        return replace(hand_in, files=(), doubt=sentence)
    candidate, best = last
    replaced = [one.name for one, other in answered if other.digest != best.digest]
    return replace(hand_in, files=candidate.files, earlier=(*replaced, *hand_in.earlier), notebook=notebook)


def _best(inside: Sequence[Inside], notebook: str) -> Inside:
    return max((one for one in inside if one.notebook == notebook), key=lambda one: one.rank)


def _latest(answered: list[tuple[Candidate, Inside]]) -> tuple[Candidate, Inside] | None:
    """The latest of those with answers; None where that is not known. The same notebook twice is one."""
    kept: dict[str, tuple[Candidate, Inside]] = {}
    for candidate, inside in answered:
        before = kept.get(inside.digest)
        if before is None or (candidate.order, candidate.worth) > (before[0].order, before[0].worth):
            kept[inside.digest] = candidate, inside
    left = list(kept.values())
    if len(left) == 1:
        return left[0]
    orders = [one.order for one, _ in left]
    newest = [pair for pair in left if pair[0].order == max(orders)] if all(orders) else left
    if len(newest) > 1:
        return _last_version(newest)
    marked = [pair for pair in left if is_marked_version(pair[0].name)]
    by_name = _last_version(left) if len(marked) == len(left) else None
    return newest[0] if by_name in (None, newest[0]) else None  # the names say another than the platform


def _last_version(left: list[tuple[Candidate, Inside]]) -> tuple[Candidate, Inside] | None:
    """The latest, as names that differ in their number alone say."""
    versions = [version_of(one.name) for one, _ in left]
    if len({base.casefold() for base, _ in versions}) == 1 and len({number for _, number in versions}) == len(left):
        return max(left, key=lambda one: version_of(one[0].name)[1])
    return None
