"""Functions with a bug to find: the source holds the right lines, each below the wrong one that students get in its place.

    # FIND THE BUG
    def total(values):
        ### BUG: return sum(values) / len(values)
        return sum(values)

A mark without a line behind it leaves the right line out.
"""

from collections.abc import Iterator

from tools.notebook_source import NotebookSource, SourceCell
from utils.submission.findings import GO_FURTHER

FIRST_LINE, CHECK = "# FIND THE BUG", "# CHECK"
MARK = "### BUG:"


def plant_bugs(text: str) -> str:
    """The student's version of a cell: each marked line replaced by the wrong one."""
    lines: list[str] = []
    is_replaced = False
    for line in text.split("\n"):
        if line.strip().startswith(MARK):
            wrong = line.strip().removeprefix(MARK).strip()
            lines += [line[: len(line) - len(line.lstrip())] + wrong] if wrong else []
            is_replaced = True
        elif is_replaced:
            is_replaced = False
        else:
            lines.append(line)
    return "\n".join(lines)


def mend_bugs(text: str) -> str:
    """The solved version of a cell: the marks go."""
    return "\n".join(line for line in text.split("\n") if not line.strip().startswith(MARK))


def faults_of(source: NotebookSource) -> Iterator[tuple[SourceCell, str]]:
    """What its bugs and its exercises without points lack: the cell, and the end of a sentence about it."""
    code = [cell for cell in source.cells if cell.kind == "code"]
    for cell, following in zip(code, [*code[1:], None], strict=True):
        marks = sum(line.strip().startswith(MARK) for line in cell.text.split("\n"))
        if (cell.first_line == FIRST_LINE) != bool(marks):
            yield (
                cell,
                f"a bug is marked `{MARK} wrong line` above the right one, in a cell that begins `{FIRST_LINE}`.",
            )
        if cell.first_line in (FIRST_LINE, GO_FURTHER) and (following is None or following.first_line != CHECK):
            yield cell, f"the next code cell must check it; begin it with `{CHECK}`."
        if cell.first_line == CHECK and "with checking(" not in cell.text:
            yield cell, "it must check inside `with checking(name, hint):`, so that Run All goes on."
