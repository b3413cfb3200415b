"""docs/machines.md: what differs between machines, and how far every check stays from its lines."""

from collections.abc import Iterator
from dataclasses import dataclass

from grader.authoring.lines import NAME, SAMPLED

LEAST = 3.0  # how many times nearer or farther than the line an answer must be
# Of statistics of samples: a right answer is a draw, within six standard errors but once in a billion, wherever its margin ends.
SURE = 1.0


@dataclass(frozen=True)
class Margin:
    """Of one line of a check: the largest error of a right answer, the smallest of the wrong ones it refuses, over the line."""

    check: str
    line: str
    kind: str
    right: float
    whose_right: str
    wrong: float
    whose_wrong: str

    @property
    def is_kept(self) -> bool:
        return self.right <= (SURE if self.kind == SAMPLED else 1 / LEAST) and self.wrong >= (
            SURE if self.kind == SAMPLED else LEAST
        )


def differences(told: dict[str, dict], first: str) -> list[str]:
    """Verdicts and names that are not what they are on the first machine, and right or wrong answers mistaken on any."""
    found = []
    for machine, one in told.items():
        for key, answer in one["answers"].items():
            base = told[first]["answers"].get(key)
            if base and base["refused"] != answer["refused"]:
                found.append(f"{machine}: {key}: {answer['refused']}, on {first} {base['refused']}")
            found += [f"{machine}: {key}: {text}" for text in _mistaken(key, answer)]
        for student, verdicts in one["examples"].items():
            if verdicts != told[first]["examples"].get(student, verdicts):
                found.append(f"{machine}: the example {student} gets something else than on {first}")
        for weights, verdicts in one["models"].items():
            if verdicts != told[first]["models"].get(weights, verdicts):
                found.append(f"{machine}: weights, {weights}: {verdicts}, on {first} {told[first]['models'][weights]}")
    return found


def _mistaken(key: str, answer: dict) -> Iterator[str]:
    if " right " in key and answer["refused"]:
        yield "a right answer is refused"
    if " slip " in key and not answer["refused"]:
        yield "a wrong answer passes"
    if " slip " in key and answer["refused"] and answer["name"] not in {slip for _, slip in answer["refused"].values()}:
        yield "the slip is not named"


def margins(told: dict[str, dict]) -> list[Margin]:
    """Of every line that a right answer meets, over all machines.

    A wrong answer counts for the line that refuses it farthest: what one line refuses narrowly, another may refuse by far.
    Lines that no wrong answer decides have no such side, and right answers may lie beyond a line that finds sameness.
    """
    right: dict[tuple[str, str], tuple[float, str]] = {}
    beyond: dict[tuple[str, str], tuple[float, str]] = {}
    kinds: dict[tuple[str, str], str] = {}
    for one in told.values():
        for key, answer in one["answers"].items():
            if " right " in key and not answer["refused"]:
                for check, line, kind, most, least in answer["lines"]:
                    kinds[check, line] = kind
                    if most <= 1:
                        right[check, line] = max(right.get((check, line), (0.0, "")), (most, answer["name"]))
                    elif least > 1:
                        old = beyond.get((check, line), (float("inf"), ""))
                        beyond[check, line] = min(old, (least, answer["name"]))
    wrong = _refusals(told, right, beyond)
    found = []
    for at in sorted(right.keys() | beyond.keys()):
        if at in right:
            found.append(Margin(*at, kinds[at], *right[at], *wrong.get(at, (float("inf"), ""))))
        else:  # a line that finds what should differ to be the same: the sides change their places
            ratio, name = wrong.get(at, (float("inf"), ""))
            found.append(Margin(*at, kinds[at], 1 / beyond[at][0], beyond[at][1], ratio, name))
    return found


def _refusals(told: dict[str, dict], right: dict, beyond: dict) -> dict[tuple[str, str], tuple[float, str]]:
    """For each line the wrong answer that it refuses by least, among those that no other line refuses by more."""
    least: dict[tuple[str, str], tuple[float, str]] = {}
    for one in told.values():
        for key, answer in one["answers"].items():
            if " slip " not in key:
                continue
            decisive = [
                (most, (check, line)) for check, line, kind, most, _ in answer["lines"]
                if kind != NAME and most > 1 and (check, line) in right and check in answer["refused"]
            ]  # fmt: skip
            decisive += [
                (1 / max(small, 1e-12), (check, line)) for check, line, kind, _, small in answer["lines"]
                if kind != NAME and small <= 1 and (check, line) in beyond and (check, line) not in right
                and check in answer["refused"]
            ]  # fmt: skip
            if decisive:
                ratio, at = max(decisive)
                least[at] = min(least.get(at, (float("inf"), "")), (ratio, answer["name"]))
    return least


_INTRODUCTION = """\
# The same verdict on every machine

*Written by `python -m tests.machines`, on {processor}. Nothing here is written by hand.*

No two processors add up a long sum in the same order. A check that decides by what is left of that gives one student points that it
denies another. So right answers, usual slips, the example class and handed-in weights are graded, and the references rebuilt, as other
machines would do it: with the instructions that torch, oneDNN, MKL, numpy and OpenBLAS may use held down by their own settings, with two threads,
with numbers at other places in memory, and with a stand-in for the processors that nobody has here, which draws anew how each sum, product
of matrices and function is rounded. The process that works out the answers says what it is (*computing as*), and a digest of all bits of
the references shows that a setting had its effect there.
"""


def document(told: dict[str, dict], says: dict[str, str], first: str, processor: str, beside: str) -> str:
    """The whole page."""
    wrong, lines = differences(told, first), margins(told)
    kept = sum(one.is_kept for one in lines)
    parts = [
        _INTRODUCTION.format(processor=processor).strip(),
        "\n".join(_machines(told, says, first)),
        f"Verdicts or names that differ: **{len(wrong)}**.",
        "\n".join(f"- {text}" for text in wrong[:50]),
        "## Margins",
        f"""\
Of each line that a judge draws, over all machines: the largest error of any right answer, and the smallest of any wrong answer that this
line refuses, both as multiples of what the line allows. Of values the first must stay below a third and the second above three. Statistics of samples
(*sampled*) have lines at six standard errors or more, which a right answer passes but once in a billion draws: its error is a draw of
that size, so these must be within the line. An empty field: no wrong answer is decided here, another line decides it by more.
**{kept} of {len(lines)}** lines keep their margins; the others are marked.""",
        "\n".join(_margin_rows(lines)),
        beside,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _machines(told: dict[str, dict], says: dict[str, str], first: str) -> Iterator[str]:
    columns = (
        "setting",
        "what it is",
        "computing as",
        "answers",
        "verdicts or names that differ",
        "bits of the references",
    )
    yield f"| {' | '.join(columns)} | largest difference of a reference over what is allowed |"
    yield "|---|---|---|---:|---:|---|---|"
    for machine, one in told.items():
        differing = differences({first: told[first], machine: one}, first)
        differing = [text for text in differing if text.startswith(f"{machine}: ")]
        bits = [
            f"{'same' if ref['bits'] == told[first]['references'][name]['bits'] else 'other'}"
            for name, ref in one["references"].items()
        ]
        worst = max(one["references"].values(), key=lambda reference: reference["excess"])
        count = len(one["answers"]) + len(one["examples"]) + len(one["models"])
        yield (
            f"| {machine} | {says[machine]} | {one['machine']} | {count} | {len(differing)} | {', '.join(bits)} "
            f"| {worst['excess']:.2g}, {worst['where']} |"
        )


def _margin_rows(lines: list[Margin]) -> Iterator[str]:
    yield "| check | line | kind | largest error of a right answer | smallest of a wrong one | |"
    yield "|---|---|---|---:|---:|---|"
    for one in lines:
        wrong = "" if one.wrong == float("inf") else f"{one.wrong:.3g} (`{one.whose_wrong}`)"
        yield f"| `{one.check}` | {one.line} | {one.kind} | {one.right:.2g} | {wrong} | {'' if one.is_kept else '**near**'} |"
