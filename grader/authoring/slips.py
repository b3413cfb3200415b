"""The usual slips: wrong answers that students are known to give, `slips.py` of an assignment, in the percent format.

    # %% flow.affine sum_for_mean
    # The answer is a mean over batch and latent; yours is a sum, B times K as large.
    # replace: .mean() -> .sum()

A slip is the task's whole cell, or the reference solution's cell with replacements (each must apply). What a slip
returns for the public inputs is kept with the reference values: an answer that returns the same is told the sentence.
The tests run every slip through the grader and demand that it fails and is named.
"""

import re
from dataclasses import dataclass

from utils.assignments.places import place_of

_HEADER = re.compile(r"^# %% (?P<task>\S+) (?P<name>\w+)[ \t]*$", re.MULTILINE)

_REPLACE = re.compile(r"replace: (.*?) ->(?: (.*))?$")


@dataclass(frozen=True)
class Variant:
    """An answer to one task, right or wrong, written another way than the reference solution."""

    task: str
    name: str
    sentence: str
    source: str  # "" if made by replacements
    replacements: tuple[tuple[str, str], ...] = ()

    def cell(self, solution: str) -> str:
        """The cell's source.

        Raises:
            ValueError: If a replacement does not apply to the solution.
        """
        if self.source:
            return self.source
        cell = solution
        for old, new in self.replacements:
            if old not in cell:
                raise ValueError(f"{self.task} {self.name}: the solution has no `{old}` to replace")
            cell = cell.replace(old, new)
        return cell


def load_slips(assignment: str) -> tuple[Variant, ...]:
    """The slips of an assignment; none if it has no file."""
    path = place_of(assignment).path / "slips.py"
    return parse_variants(path.read_text(encoding="utf-8")) if path.exists() else ()


def parse_variants(text: str) -> tuple[Variant, ...]:
    """Read variants from a percent file.

    Raises:
        ValueError: If a variant has neither code nor replacements.
    """
    parts = _HEADER.split(text)[1:]
    return tuple(
        _variant(task, name, body) for task, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    )


def _variant(task: str, name: str, body: str) -> Variant:
    lines = body.strip("\n").split("\n")
    comments = []
    while lines and lines[0].startswith("# ") and not lines[0].startswith("# AUTOGRADED"):
        comments.append(lines.pop(0)[2:])
    pairs = [(match[1], match[2] or "") for line in comments if (match := _REPLACE.match(line))]
    sentence = " ".join(line for line in comments if not line.startswith("replace: "))
    source = "\n".join(lines).strip("\n")
    if bool(source) == bool(pairs):
        raise ValueError(f"{task} {name}: give either the whole cell or lines `# replace: old -> new`")
    return Variant(task, name, sentence, source, tuple(pairs))
