"""Points that a person gives in a spreadsheet: a sheet to fill in, and the filled sheet read.

The sheet is a CSV file, one line a submission, one column a part that waits. It belongs to the instructor: it is written
once and never written over. Its points go where marks given in the browser go (`grader.marking`), and count as they do.
"""

import csv
import io
from pathlib import Path
from typing import Any

from grader.marking.answers import open_tests
from grader.marking.tables import SheetError
from grader.report.files import write_atomically
from grader.report.grades import harmless

Results = dict[str, Any]
Points = dict[tuple[str, str], float]  # by submission and part
NOTHING_TO_READ = "-"


def write_sheet(path: Path, results: list[Results]) -> str:
    """Write an empty sheet for everything that waits.

    Args:
        path: Where; there must be nothing yet.
        results: Contents of `results.json` files.

    Returns:
        What to do with it, one sentence.
    """
    parts = _parts(results)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", *(f"{check} ({points:g})" for check, points in parts.items())])
    for result in sorted(results, key=lambda r: r["extra_data"]["student"]):
        waits = {test["extra_data"]["check"] for test in open_tests(result) if test["extra_data"]["status"] == "manual"}
        if waits:
            cells = ["" if check in waits else NOTHING_TO_READ for check in parts]
            writer.writerow([harmless(result["extra_data"]["student"]), *cells])
    write_atomically(path, out.getvalue())
    return f"{path}: an empty sheet for {len(parts)} parts that wait. Fill in points, then run the same command again."


def read_sheet(path: Path) -> Points:
    """Read a sheet; empty cells are still open.

    Raises:
        SheetError: If it is no such sheet, or a cell holds no points.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        delimiter = ";" if lines and lines[0].startswith(("student;", '"student";')) else ","
        header, *rows = csv.reader(lines, delimiter=delimiter)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise SheetError(f"The sheet {path} cannot be read ({error}): save it as CSV in UTF-8.") from None
    if header[:1] != ["student"]:
        raise SheetError(f"The sheet {path} begins with {header[:1]}, expected student: use the one --by-hand wrote.")
    points: Points = {}
    for number, row in enumerate(rows, 2):
        for title, cell in zip(header[1:], row[1:], strict=False):
            check, _, maximum = title.removesuffix(")").partition(" (")
            if cell.strip() not in ("", NOTHING_TO_READ):
                where = f"{path}, line {number}, {check}"
                points[row[0], check] = _number(cell, maximum, is_comma_decimal=delimiter == ";", where=where)
    return points


def _number(cell: str, maximum: str, is_comma_decimal: bool, where: str) -> float:
    try:
        value = float(cell.replace(",", ".") if is_comma_decimal else cell)
        if 0 <= value <= float(maximum):
            return value
    except ValueError:
        pass
    raise SheetError(f"{where}: {cell!r} stands there, expected points from 0 to {maximum}, or nothing: correct it.")


def _parts(results: list[Results]) -> dict[str, float]:
    """Every part that waits for somebody, with its points, in the order of the notebooks."""
    waiting = [
        (result["extra_data"]["notebook"], [int(n) for n in test["number"].split(".")], test["extra_data"])
        for result in results
        for test in open_tests(result)
        if test["extra_data"]["status"] == "manual"
    ]
    return {
        facts["check"]: facts["points"] for _, _, facts in sorted(waiting, key=lambda w: (w[0], w[1], w[2]["check"]))
    }
