"""The sentences of a notebook that give a reason or allow no exception, found by rule.

Each must say what it rests on: `tests/claims/sentences.yaml` gives it a row of docs/claims.md, or the reason why it is
mathematics.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.claims.cells import ASSIGNMENTS

# Words that claim a cause or a law, and those that report what was seen. "Is what ... bought" is a cause told after the fact.
TRIGGERS = re.compile(
    r"\b(because|so that|always|never|cannot|can not|can never|is why|hence|therefore|the reason is|the reason for this"
    r"|is what\b.{0,80}\bbought|(?:in|of) (?:our|three) (?:full )?runs?|seeds|hardly|seldom|tends? to|nothing but|buys"
    r"|no (?:sign|remedy|evidence|law|bound)|starved?|no longer disturbs|collapses|hard to come back)\b",
    re.IGNORECASE | re.DOTALL,
)
# A sentence ends at a mark, perhaps inside emphasis or brackets, before what can begin another.
_END = re.compile(r"(?<=[.!?])[*_)\"]*\s+(?=[*_(\"$`]*[A-Z0-9$`*(])|(?<=:)\s+(?=[*_]*[A-Z])")
_BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.)\s)|\n(?=\|)|\n(?=#+ )")
REGISTRY = Path(__file__).with_name("sentences.yaml")


@dataclass(frozen=True)
class Basis:
    """What a sentence rests on: a row of docs/claims.md, or mathematics with the reason."""

    says: str
    row: str = ""
    mathematics: str = ""


def claims_of(folder: str) -> list[str]:
    """The sentences of one notebook's source that hold a trigger, in order, each on one line.

    Args:
        folder: Of the notebook in `assignments`.
    """
    source = (ASSIGNMENTS / folder / "notebook.py").read_text(encoding="utf-8")
    return [sentence for sentence in _sentences(source) if TRIGGERS.search(sentence)]


def bases_of(folder: str) -> list[Basis]:
    """What the sentences of one notebook rest on, as `sentences.yaml` has it."""
    entries = yaml.safe_load(REGISTRY.read_text(encoding="utf-8")) or {}
    return [Basis(**entry) for entry in entries.get(folder, [])]


def _sentences(source: str) -> Iterator[str]:
    for cell in re.split(r"^# %%", source, flags=re.MULTILINE)[1:]:
        head, _, text = cell.partition("\n")
        if "[markdown]" in head:
            yield from split(re.sub(r"^# ?", "", text, flags=re.MULTILINE))
        else:
            for words in _words_of_code(text):
                yield from split(words)


def _words_of_code(text: str) -> Iterator[str]:
    """Comments, joined where they run over several lines, then every string, docstrings among them."""
    comments = re.findall(r"(?:^[ \t]*#(?!\s*(?:%%|AUTOGRADED|##)).*\n?)+|(?<=\S)[ \t]+# .*$", text, re.MULTILINE)
    yield from (re.sub(r"^\s*# ?", "", comment, flags=re.MULTILINE) for comment in comments)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def split(text: str) -> Iterator[str]:
    """The sentences of a text, each on one line; headings, list items and rows of tables end one too."""
    for block in _BLOCK.split(text):
        for sentence in _END.split(" ".join(block.split())):
            if sentence:
                yield sentence
