"""The numbers that the notebooks' texts tell, each with what it rests on, found by rule.

    python -m tests.claims.told              what is told otherwise than kept, and what rests on nothing
    python -m tests.claims.told --keep       keep what the texts tell now, in `told.json`, after reading what changed
    python -m tests.claims.told --mutants    change each number in turn: how many fail, and how many would by what they rest on alone

A number rests on what the same part of the notebook prints when solved (`tests/solved/expected`), on a figure of a claim about that
part (`rows.yaml`), on a constant of its code or of its assignment's checks, or on its form: points, times, literature, sections,
formulas. What rests on none of these has its reason in `told.yaml`. As with kept outputs, a change that is meant is kept again; what
rests on nothing cannot be.
"""

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path

import yaml
from nbformat import NotebookNode

from tests.claims.page import figures_of, measured, rows
from tests.solved.outputs import with_expectations
from tools.notebook_source import HEADING, SourceCell, read_source, source_names
from utils.assignments.places import place_of

HERE = Path(__file__).parent
KEPT, REASONS = HERE / "told.json", HERE / "told.yaml"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?"
_NUMBER = re.compile(rf"(?<![\w.]){_DIGITS}(?!\w|\.\d)", re.IGNORECASE)
_PRINTED = re.compile(rf"(?<![\w.]){_DIGITS}(?!\.\d)%?", re.IGNORECASE)
_FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]*\$", re.DOTALL)
_PART = re.compile(r"^## +(?:(\d+)\b(?! Results))?", re.MULTILINE)  # results are told of the whole notebook
_ADDRESS = re.compile(r"\]\([^)]*\)|https?://\S+")
_FORM_WORDS = {  # the words around a number say what it is
    "points": r"· (?:auto|manual|quality) \d+|\d+\)? points?\b|\*\*RESPONSE:\*\* \(\d+",
    "literature": r"arXiv:\d{4}\.\d+|\b(?:19|20)\d\d\b|\b[BC] \d+\b|\btorch [\d.]+|CIFAR-10\b|CIFAR-10's",
    "section": r"^#+ \d[\d.]*|\b(?:notebook|part|section|evening|appendix)s? \d[\d.]*\d?(?:(?:, | and | to )\d[\d.]*)*",
    "time": r"\b\d[\d.]*(?: to \d+)? (?:s|seconds?|minutes?|hours?|MB)\b",
}
_FORM = {form: re.compile(pattern, re.IGNORECASE | re.MULTILINE) for form, pattern in _FORM_WORDS.items()}


@dataclass(frozen=True)
class Told:
    """One number of a text."""

    cell: SourceCell
    number: str
    start: int
    part: str  # the number of the notebook's part in which it stands; "" before and behind all

    @property
    def end(self) -> int:
        return self.start + len(self.number)

    @property
    def is_percent(self) -> bool:
        """Whether it is told in hundredths: `72%`, or the 72 of `72 to 74%`."""
        return bool(re.match(r"\\?%| to [\d.]+\\?%", self.cell.text[self.end :]))

    @property
    def around(self) -> str:
        """The words on both sides, on one line."""
        text = self.cell.text
        return " ".join(f"{text[max(0, self.start - 50) : self.start]}[{self.number}]{text[self.end :][:40]}".split())


@dataclass(frozen=True)
class Source:
    """A value that a number may rest on."""

    where: str
    value: float
    is_rounded: bool = False  # a text may tell it with fewer places


def told_in(name: str) -> Iterator[Told]:
    """Every number of a notebook's texts, in order; addresses of links and pictures hold none."""
    for cell, above in _with_parts(name):
        if cell.kind == "markdown":
            away = [match.span() for match in _ADDRESS.finditer(cell.text)]
            for match in _NUMBER.finditer(cell.text):
                if not any(start <= match.start() < end for start, end in away):
                    yield Told(cell, match[0], match.start(), [part for at, part in above if at <= match.start()][-1])


def rests_on(name: str, told: Told) -> str:
    """What a number rests on, in a few words; "" for nothing."""
    form = _form_of(told)
    if form in ("points", "literature", "section"):
        return form
    if told.number.isdigit() and any(_inside(match, told) for match in _FORMULA.finditer(told.cell.text)):
        return "formula"
    exact = len(re.sub(r"e.*|\D", "", told.number.lower()).strip("0")) >= 3  # it meets few others by chance
    for source in _sources(name, told.part) + (_sources(name, "") if exact else []):
        if agrees(told, source):
            return source.where
    if form:
        return form
    if told.number in _sections(name):
        return "section"
    return next((f"reason: {why}" for says, why in reasons(name) if _is_in(says, told)), "")


def ties(name: str) -> list[list[str]]:
    """Each number of a notebook's texts and what it rests on, as `told.json` keeps them."""
    return [[told.number, rests_on(name, told)] for told in told_in(name)]


def agrees(told: Told, source: Source) -> bool:
    """Whether a number of a text is a value, or the value rounded to the places that it is told with."""
    bare, value = told.number.replace(",", ""), abs(source.value) * (100 if told.is_percent else 1)
    mantissa, _, exponent = bare.lower().partition("e")
    places = int(exponent or 0) - len(mantissa.partition(".")[2])
    if not source.is_rounded or (places >= 0 and (source.where == "output" or float(bare) < 2)):
        return abs(float(bare) - value) <= 1e-9 * value
    return abs(float(bare) - value) <= 0.5001 * 10.0**places


def reasons(name: str) -> list[tuple[str, str]]:
    """Pieces of text whose numbers rest on nothing that a rule finds, and why they stand."""
    return [(entry["says"], entry["why"]) for entry in yaml.safe_load(REASONS.read_text(encoding="utf-8"))[name]]


def kept() -> dict[str, list[list[str]]]:
    """What `told.json` keeps of each notebook."""
    return json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}


def faults(name: str) -> Iterator[str]:
    """Numbers that rest on nothing, and those that are not what is kept, with the words around them."""
    for told, before in zip_longest(told_in(name), kept().get(name, [])):
        now = [told.number, rests_on(name, told)] if told else None
        if now and not now[1]:
            yield f"cell {told.cell.number}: {told.around} rests on nothing"
        elif now != before:
            yield f"cell {told.cell.number if told else 'none'}: {told.around if told else ''}: {now}, kept {before}"


def _form_of(told: Told) -> str:
    around = slice(max(0, told.start - 60), told.end + 60)
    for form, pattern in _FORM.items():
        for match in pattern.finditer(told.cell.text, around.start, around.stop):
            if _inside(match, told):
                return form
    return ""


def _inside(match: re.Match[str], told: Told) -> bool:
    return match.start() <= told.start < match.end()


def _is_in(says: str, told: Told) -> bool:
    return any(_inside(match, told) for match in re.finditer(re.escape(says), told.cell.text))


@cache
def _with_parts(name: str) -> list[tuple[SourceCell, list[tuple[int, str]]]]:
    """Each cell, and from which place on in it which part it belongs to."""
    found, part = [], ""
    for cell in read_source(name).cells:
        heads = _PART.finditer(cell.text) if cell.kind == "markdown" else ()
        above = [(0, part), *((match.span()[0], match[1] or "") for match in heads)]
        part = above[-1][1]
        found.append((cell, above))
    return found


@cache
def _sections(name: str) -> set[str]:
    texts = (cell.text for cell, _ in _with_parts(name) if cell.kind == "markdown")
    return {match[1] for text in texts for line in text.split("\n") if (match := HEADING.fullmatch(line))}


@cache
def _sources(name: str, part: str) -> list[Source]:
    """What numbers of a part may rest on; those outside all parts, and of a part without code, on any of them."""
    cells = [cell for cell, above in _with_parts(name) if part in ("", above[-1][1])]
    if not any(cell.kind == "code" for cell in cells):
        return _sources(name, "")
    numbers = {cell.number for cell in cells}
    printed = [
        out for n, out in enumerate(with_expectations(name).cells, 1) if n in numbers and out.cell_type == "code"
    ]
    found = [Source("output", value, True) for cell in printed for value in _values_printed(cell)]
    found += _claimed(place_of(name).folder, part)
    found += [Source("code", value) for cell in cells if cell.kind == "code" for value in _constants(cell.text)]
    folder = place_of(name).path
    rules = [folder / "numbers.py", folder / "yaml_rules.py", folder / "checks.py", *folder.glob("checks/*.py")]
    texts = [path.read_text(encoding="utf-8") for path in rules if path.is_file()]
    return found + [Source("checks", value) for text in texts for value in _constants(text)]


def _values_printed(cell: NotebookNode) -> Iterator[float]:
    for output in cell.outputs:
        for word in _PRINTED.findall(output.get("text", "")):  # what describes a picture holds any number
            yield float(word.replace(",", "").rstrip("%")) / (100 if word.endswith("%") else 1)


def _claimed(folder: str, part: str) -> Iterator[Source]:
    """The figures of claims about a part: their mean, and each seed's."""
    found, _ = figures_of(measured())
    for row in rows():
        about = re.findall(r"\b(\d+)(?:\.\d+)?(?=[,)]| and )", " ".join(re.findall(r"\([^()]*\)", row.claim)))
        if row.notebook == folder and (not part or not about or part in about):
            for figure in row.figures:
                values = found[figure["measure"], figure["key"]]
                for value in (sum(values) / len(values), *values):
                    yield Source(f"claim {row.id}", value, True)


def _constants(code: str) -> Iterator[float]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            yield float(node.value)


def mutated(number: str) -> str:
    """Another number of the same form: its last digit is one more."""
    at = max(n for n, sign in enumerate(number.lower().partition("e")[0]) if sign.isdigit())
    return f"{number[:at]}{(int(number[at]) + 1) % 10}{number[at + 1 :]}"


def mutants(name: str, every: int = 1) -> tuple[int, int, int, int]:
    """Change each number in turn, or one of so many: how many there are and fail; how many are told of a run, and how many of
    these rest on something else or nothing then."""
    count, failed, of_a_run, bare = 0, 0, 0, 0
    for told, before in [*zip_longest(told_in(name), kept()[name])][::every]:
        other = mutated(told.number)
        text = told.cell.text[: told.start] + other + told.cell.text[told.end :]
        changed = Told(SourceCell(told.cell.number, "markdown", text), other, told.start, told.part)
        now = rests_on(name, changed)
        count, failed = count + 1, failed + ([other, now] != before)
        if before[1].startswith(("output", "claim", "reason")):
            of_a_run, bare = of_a_run + 1, bare + (now != before[1])
    return count, failed, of_a_run, bare


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.claims.told", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", action="store_true", help="keep what the texts tell now")
    parser.add_argument("--mutants", action="store_true", help="change each number in turn")
    options = parser.parse_args()
    if options.mutants:
        for name in source_names():
            words = (
                "{}: {} numbers changed, {} fail; {} of them told of a run, {} rest on something else or nothing then"
            )
            print(words.format(name, *mutants(name)))
        return 0
    found = [f"{name}, {fault}" for name in source_names() for fault in faults(name)]
    print(
        "\n".join([*found, f"{sum(1 for name in source_names() for _ in told_in(name))} numbers, {len(found)} faults"])
    )
    bare = [fault for fault in found if fault.endswith("rests on nothing")]
    if options.keep and not bare:
        told = {name: ties(name) for name in source_names()}
        lines = (f' "{name}": [\n' + ",\n".join(f"  {json.dumps(tie)}" for tie in told[name]) + "\n ]" for name in told)
        KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return 1 if (bare if options.keep else found) else 0


if __name__ == "__main__":
    sys.exit(main())
