"""What a PDF does not show as the notebook does: collected while it is made, said in the log and on its last page."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Loss:
    """One thing that was replaced, shortened or left out.

    Args:
        cell: The cell's number, counted from 1 over all cells of the notebook; 0 for the document.
        kind: `formula`, `part`, `image`, `lines`, `character` or `document`.
        words: One sentence that says what happened and why.
    """

    cell: int
    kind: str
    words: str

    def __str__(self) -> str:
        return f"cell {self.cell}: {self.words}" if self.cell else self.words


@dataclass
class Summary:
    """The losses of one export, and how much there was to lose."""

    cells: int = 0
    formulas: int = 0
    images: int = 0
    losses: list[Loss] = field(default_factory=list)

    def lose(self, cell: int, kind: str, words: str) -> None:
        """Note a loss once."""
        loss = Loss(cell, kind, words)
        if loss not in self.losses:
            self.losses.append(loss)

    def counts(self) -> str:
        """The export in one line, e.g. `42 cells, 120 formulas (1 as source), 12 images, nothing else replaced`."""
        lost = Counter(loss.kind for loss in self.losses)

        def count(number: int, noun: str, kind: str, fate: str) -> str:
            text = f"{number} {noun}{'' if number == 1 else 's'}"
            return f"{text} ({lost[kind]} {fate})" if lost[kind] else text

        parts = [
            count(self.cells, "cell", "part", "with a part replaced"),
            count(self.formulas, "formula", "formula", "shown as source"),
            count(self.images, "image", "image", "not included"),
        ]
        if lost["lines"]:
            parts.append(f"lines shortened in {lost['lines']} place{'' if lost['lines'] == 1 else 's'}")
        if lost["character"]:
            parts.append("some characters without a glyph")
        return ", ".join(parts) + "."

    def sentences(self, limit: int = 40) -> list[str]:
        """The losses in notebook order, at most `limit` of them and a line for the rest."""
        told = [str(loss) for loss in sorted(self.losses, key=lambda loss: loss.cell)]
        if len(told) > limit:
            told[limit:] = [f"… and {len(told) - limit} more of the same kinds."]
        return told
