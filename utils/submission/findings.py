"""What the check speaks of: findings, cells, and the cell it is called from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from utils.assignments import Question

GO_FURTHER = "# GO FURTHER"  # the first line of a cell that earns nothing: its gap may stay open
_HAND_IN = re.compile(r"^[ \t]*hand_in\(", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """Something that costs points as it stands."""

    question: Question
    points: int  # what is at stake
    text: str  # goes on after "1.3 flow.affine, 5 points: "

    def __str__(self) -> str:
        unit = "point" if self.points == 1 else "points"
        return f"{self.question.number} {self.question.id}, {self.points} {unit}: {self.text}"


def is_hand_in(source: str) -> bool:
    """Whether a cell's text is the notebook's last step, which no check is about."""
    return bool(_HAND_IN.search(source))


def name_cells(numbers: Sequence[int], limit: int = 6) -> str:
    """Cells as a student counts them from the top: "cell 7", "cells 7, 9 and 12", or the first few of many."""
    words = [str(number) for number in sorted(numbers)]
    if len(words) == 1:
        return f"cell {words[0]}"
    if len(words) > limit:
        return f"{len(words)} cells ({', '.join(words[:limit])}, …)"
    return f"cells {', '.join(words[:-1])} and {words[-1]}"
