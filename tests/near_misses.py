"""Near misses: for every line that a judge draws, an answer just inside that passes and one just outside that fails.

    python -m tests.near_misses            find them anew and write tests/near_misses.json [--check NAME]
    python -m tests.near_misses --widen    widen each line tenfold, one at a time: the table must notice

Nobody thinks of them: the reference solution's own values are moved in ways that take any array from right to wrong (a
factor, a shift, one number, what columns, rows or neighbours share, thinner tails, rows that grow alike), each as far as
the check lets it. How far that is, is kept: a line that somebody moves is then in another place than the table says.
Where another line of the check always stands nearer, the others are set aside meanwhile (`is_alone`).
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from grader.authoring.check import Arrays, Check, calls, load_checks
from grader.authoring.judges import judged
from grader.authoring.lines import NAME, SAMPLED, Distance, alone, moved, watched
from grader.records import Call
from grader.rubric import load_rubric
from grader.rubric.draws import job_of
from grader.sandbox.box import Box
from grader.stages.pipeline import graded_assignments
from utils.assignments import load_assignment

TABLE = Path(__file__).with_suffix(".json")
WIDER = 10.0
# How far from the line the two answers are. Samples are drawn a little differently on another machine.
NEAR, NEAR_SAMPLED = 1.25, 2.5
_STRENGTHS = np.logspace(-7, 8, 31)
_FACTOR = 10.0  # what has to grow further before it is refused is rounding, and another number on another processor

_ALIKE = 2  # of arrays whose names differ by a number, one for each layer or game: so many show all there is
_NUMBERS, _PARTNERS = 16, 3

Way = Callable[[np.ndarray, float], np.ndarray]


def _number(array: np.ndarray, strength: float, at: int) -> np.ndarray:
    changed = array.copy()
    changed.reshape(-1)[at] += strength
    return changed


def _joined(array: np.ndarray, strength: float, axis: int, step: int) -> np.ndarray:
    """What stands `step` further along an axis takes over some of what stands before it; step 0: half the axis.

    Means and spreads stay, so that nothing shows but what is shared.
    """
    samples = int(np.argmax(array.shape))
    mean, spread = (of(array, axis=samples, keepdims=True) for of in (np.mean, np.std))
    source = np.moveaxis((array - mean) / np.maximum(spread, 1e-30), axis, 0)
    changed, step = source.copy(), step or max(1, len(source) // 2)
    changed[step:] = (changed[step:] + strength * source[: len(source) - step]) / np.sqrt(1 + strength**2)
    return mean + spread * np.moveaxis(changed, 0, axis)


def _thinner(array: np.ndarray, strength: float) -> np.ndarray:
    """The same mean and spread with thinner tails."""
    off = array - array.mean()
    bent = np.sign(off) * np.abs(off) ** (1 / (1 + strength))
    return array.mean() + bent * (off.std() / max(bent.std(), 1e-30))


WAYS: dict[str, Way] = {
    "scaled": lambda array, s: array * (1 + s),
    "shifted": lambda array, s: array + s,
    "shrunk": lambda array, s: array / (1 + s),
    "first number": lambda array, s: _number(array, s, 0),
    "last number": lambda array, s: _number(array, s, -1),
    "columns share": lambda array, s: _joined(array, s, -1, 1),
    "rows share": lambda array, s: _joined(array, s, 0, 1),
    "middle shares": lambda array, s: _joined(array, s, array.ndim // 2, 1),
    "halves share": lambda array, s: _joined(array, s, 0, 0),
    "middle halves share": lambda array, s: _joined(array, s, array.ndim // 2, 0),
    "thinner tails": _thinner,
    "rows alike": lambda array, s: array[:1] + (array - array[:1]) / (1 + s),
    "halves alike": lambda array, s: _halves_alike(array, s),
    "shifted down": lambda array, s: array - s,
}
_OF_SCALARS = ("scaled", "shifted", "shifted down", "shrunk")


def _halves_alike(array: np.ndarray, strength: float) -> np.ndarray:
    half = len(array) // 2
    changed = array.copy()
    changed[len(array) - half :] = array[:half] + (array[len(array) - half :] - array[:half]) / (1 + strength)
    return changed


def ways(values: Arrays, array: str) -> list[str]:
    """In which ways an array can be moved: those of any array, each of its first numbers, towards another of its shape."""
    own = values[array]
    if own.ndim == 0:
        return list(_OF_SCALARS)
    numbers = [f"number {at} scaled" for at in range(min(own.size, _NUMBERS))]
    like = [name for name in values if name != array and values[name].shape == own.shape][:_PARTNERS]
    whole = own.shape[-1] > 1
    return [
        *WAYS,
        *numbers,
        *(f"like {name}" for name in like),
        *(f"all but the last like {name}" for name in like if whole),
    ]


def _moved(values: Arrays, array: str, way: str, strength: float) -> Arrays:
    """The values with one array moved in one way, so far."""
    own = values[array].astype(np.float64)
    if way in WAYS:
        changed = WAYS[way](own, strength)
    elif match := re.fullmatch(r"number (\d+) scaled", way):
        changed = own.copy()
        changed.reshape(-1)[int(match[1])] *= 1 + strength
    else:
        whole, _, name = way.rpartition("like ")
        other, changed = values[name].astype(np.float64), own.copy()
        part = np.s_[..., :-1] if whole else np.s_[...]
        changed[part] = other[part] + (own[part] - other[part]) / (1 + strength)
    return values | {array: changed.astype(values[array].dtype)}


@dataclass(frozen=True)
class NearMiss:
    """An answer on a line: the values of a case with one array moved in one way, so far."""

    check: str
    line: str
    kind: str
    case: str
    array: str
    way: str
    strength: float
    is_alone: bool = False

    @property
    def near(self) -> float:
        return NEAR_SAMPLED if self.kind == SAMPLED else NEAR

    def lines(self) -> AbstractContextManager[None]:
        """The lines that judge this answer."""
        return alone(self.check, self.line) if self.is_alone else nullcontext()


@dataclass(frozen=True)
class Case:
    """A public call, the reference solution's values, and what they are compared with."""

    check: Check
    call: Call
    values: Arrays
    reference: Arrays

    def judge(self, array: str = "", way: str = "", strength: float = 0.0) -> tuple[bool, dict[str, Distance]]:
        """Whether the values hold, with one array moved; and the lines they met, each where it was nearest to be crossed."""
        values = _moved(self.values, array, way, strength) if array else self.values
        with watched() as seen, np.errstate(all="ignore"):
            holds = judged(self.check, values, self.reference, self.call.inputs) is None
        met: dict[str, Distance] = {}
        for one in seen:
            if one.line not in met or one.ratio > met[one.line].ratio:
                met[one.line] = one
        return holds, met


def cases(box: Box, name: str) -> Iterator[Case]:
    """The public cases of all checks of a notebook, answered by its reference solution."""
    rubric = load_rubric(name)
    stored = rubric.references.inputs
    asked = [
        (check, call)
        for check in load_checks(name)
        for call in calls(check, [stored[n] for n in stored if n.split("#")[0] == check.name], is_public=True)
    ]
    run = box.run(job_of(load_assignment(name), rubric.references.solution, tuple(call for _, call in asked)))
    for check, call in asked:
        values = run.runs[call.name].values
        yield Case(check, call, values, rubric.references.outputs.get(call.name, {}))


def find(case: Case, known: set[str]) -> dict[str, NearMiss]:
    """For each further line that a right answer meets in this case: where one way of moving it crosses the line, if any does."""
    holds, met = case.judge()
    assert holds, f"{case.call.name}: the reference solution is refused"
    wanted = {line: distance.kind for line, distance in met.items() if distance.kind != NAME and line not in known}
    found = _found(case, wanted, is_alone=False)
    for line in wanted.keys() - found.keys():
        with alone(case.check.name, line):
            found |= _found(case, {line: wanted[line]}, is_alone=True)
    return found


def _found(case: Case, wanted: dict[str, str], is_alone: bool) -> dict[str, NearMiss]:
    """Of lines, with their kinds, those across which a way leads."""
    found: dict[str, NearMiss] = {}
    for array in _arrays(case, wanted):
        for way in ways(case.values, array):
            if wanted.keys() <= found.keys():
                return found
            for line, strength in _crossed(case, array, way).items():
                if line not in wanted or line in found:
                    continue
                miss = NearMiss(
                    check=case.check.name,
                    line=line,
                    kind=wanted[line],
                    case=case.call.name,
                    array=array,
                    way=way,
                    strength=strength,
                    is_alone=is_alone,
                )
                if not complaint(case, miss) and notices(case, miss):
                    found[line] = miss
    return found


def _arrays(case: Case, wanted: dict[str, str]) -> list[str]:
    """What is moved: first the arrays that lines are named after, then all others, of those that are alike the first and the last."""
    floats = [name for name, values in case.values.items() if values.dtype.kind == "f" and values.size]
    families: dict[str, list[str]] = {}
    for name in floats:
        families.setdefault(re.sub(r"\d+", "", name), []).append(name)
    first = {name for alike in families.values() for name in (*alike[:_ALIKE], alike[-1])}
    return sorted((name for name in floats if name in first or name in wanted), key=lambda name: name not in wanted)


def _crossed(case: Case, array: str, way: str) -> dict[str, float]:
    """The lines that are crossed where the check begins to refuse, and at which strength."""
    inside, strengths = None, _STRENGTHS[_STRENGTHS < _FACTOR] if way.endswith("scaled") else _STRENGTHS
    for strength in strengths:
        if not case.judge(array, way, strength)[0]:
            break
        inside = strength
    if inside is None or inside == strengths[-1]:
        return {}
    low, high = np.log(inside), np.log(inside) + np.log(_STRENGTHS[1] / _STRENGTHS[0])
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if case.judge(array, way, float(np.exp(middle)))[0] else (low, middle)
    before, after = (case.judge(array, way, float(np.exp(at)))[1] for at in (low, high))
    crossed = [line for line in before.keys() & after.keys() if (before[line].ratio > 1) != (after[line].ratio > 1)]
    return {line: float(f"{np.exp(high):.4g}") for line in crossed}


def complaint(case: Case, miss: NearMiss) -> str:
    """What is wrong with a line: the answer just inside is refused, or the one just outside is not."""
    where = f"{miss.check}, {miss.line}: {miss.array} {miss.way} by {miss.strength:.3g}"
    with miss.lines():
        if not case.judge(miss.array, miss.way, miss.strength / miss.near)[0]:
            return f"{where}: an answer just inside is refused"
        if case.judge(miss.array, miss.way, miss.strength * miss.near)[0]:
            return f"{where}: an answer just outside passes"
    return ""


def notices(case: Case, miss: NearMiss) -> bool:
    """Whether the two answers tell that the line is ten times as wide."""
    with moved(miss.check, miss.line, WIDER):
        return bool(complaint(case, miss))


def load_table() -> list[NearMiss]:
    return [NearMiss(**row) for row in json.loads(TABLE.read_text(encoding="utf-8"))]


def lines_met(of: list[Case]) -> set[tuple[str, str]]:
    """The lines that right answers meet, but those that only name slips, and those of whole numbers, which are equal or not."""
    return {
        (case.check.name, line)
        for case in of
        for line, distance in case.judge()[1].items()
        if distance.kind != NAME and case.values.get(line, np.empty(0)).dtype.kind == "f"
    }


def _write(tried: list[Case]) -> None:
    """Find near misses for these cases, and keep those of others."""
    checks = {case.check.name for case in tried}
    found = {
        (miss.check, miss.line): miss for miss in (load_table() if TABLE.exists() else []) if miss.check not in checks
    }
    for case in tried:
        known = {line for check, line in found if check == case.check.name}
        found |= {(case.check.name, line): miss for line, miss in find(case, known).items()}
        # Written each time: it takes minutes, and whoever ends it keeps what it has found.
        TABLE.write_text(json.dumps([asdict(found[key]) for key in sorted(found)], indent=0) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.near_misses", description="Answers on either side of each line."
    )
    parser.add_argument("names", nargs="*", help="notebooks; default: all. The others keep their part of the table")
    parser.add_argument("--check", action="append", help="only this check's lines; may be given several times")
    parser.add_argument("--widen", action="store_true", help="widen each line tenfold, one at a time")
    options = parser.parse_args()
    names = options.names or graded_assignments()
    with Box(names) as box:
        tried = [case for name in names for case in cases(box, name)]
    tried = [case for case in tried if not options.check or case.check.name in options.check]
    by_call = {case.call.name: case for case in tried}
    if not options.widen:
        _write(tried)
    table = {(miss.check, miss.line): miss for miss in load_table()}
    table = {key: miss for key, miss in table.items() if miss.case in by_call}
    unseen = [
        f"{check}, {line}: no way found across this line" for check, line in sorted(lines_met(tried) - table.keys())
    ]
    kept = [
        f"{m.check}, {m.line}: ten times as wide, and nothing fails"
        for m in table.values()
        if not notices(by_call[m.case], m)
    ]
    print("\n".join([*unseen, *kept]))
    print(f"{len(table)} lines widened tenfold, {len(table) - len(kept)} noticed; {len(unseen)} without a near miss")
    return 1 if kept or unseen else 0


if __name__ == "__main__":
    sys.exit(main())
