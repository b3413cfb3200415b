"""Sheets made up for tests: as somebody would have filled in what `sheet_of` writes."""

import csv
import io
from pathlib import Path

from grader.marking.sheets import Sheet, read_sheet, sheet_of
from grader.marking.state import State


def filled(results: list[dict], points: dict[tuple[str, str], float], path: Path | None = None) -> Sheet:
    """A sheet of these results with points in some cells, by student and part; every other cell is empty."""
    header, *rows = csv.reader(sheet_of(results, State()).splitlines())
    for row in rows:
        for n, title in enumerate(header[3:-1], 3):
            given = points.get((row[0].removeprefix("'"), title.partition(" ")[0]))
            row[n] = row[n] if given is None else f"{given:g}"
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    path = path or Path("points.csv")
    return read_text(out.getvalue(), path)


def read_text(text: str, path: Path) -> Sheet:
    """A sheet from its text; it is called as `path` is, wherever it lies for the moment."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path.name
        target.write_text(text, encoding="utf-8")
        return read_sheet(target)
