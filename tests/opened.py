"""Tables of a class with hostile names, opened by a spreadsheet: no cell of theirs becomes a formula.

    python -m tests.opened

Names are made by rule: what begins a formula, in every spelling that a spreadsheet folds into one, behind what stands before it or
parts cells. LibreOffice opens the tables without a window, once for each separator that a locale or a person may choose, and says
which cells are formulas. The same table without any protection is opened too, to show that this is seen. Needs `soffice`.
"""

import csv
import io
import itertools
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from grader.report.grades import grades_csv
from utils.notebook.printable import printable

SIGNS = ("=", "＝", "+", "＋", "-", "－", "@", "＠", "﹦", "⁼", "﹢")
BEFORE = ("", " ", "\u3000", "\u00a0", "\t", "\r", "\n", "\u2028", "\x0b", "\x0c", "\ufeff", "\u200b", "\x00", "'", '"')
PARTED = ("", "a;", "a,", "a\t", "a|", "a; ", 'a";', "a\n", "a;;", '"a";', "a:", "a\u2028")
SEPARATORS = {"comma": "44", "semicolon": "59", "tab": "9", "any of them": "44/59/9", "bar": "124"}
_FORMULA = re.compile(rb"<c [^>]*>\s*<f[ >]")


def names() -> list[str]:
    """Every combination, as a person is called whose file is called so, and as a platform's file may call them."""
    raw = ["".join(parts) + "1+1;b" for parts in itertools.product(PARTED, BEFORE, SIGNS)]
    return list(dict.fromkeys([*raw, *map(printable, raw)]))


def result(name: str) -> dict[str, Any]:
    member = {"name": name, "email": name, "ids": {"id": name}}
    extra = {"student": name, "notebook": "01", "pending_points": 0.0, "status": "passed", "members": [member]}
    return {"score": 1.0, "tests": [], "extra_data": extra}


def unprotected(rows: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([name, "01", "1"] for name in rows)
    return out.getvalue()


def formulas(table: str, separator: str, folder: Path) -> int:
    """How many cells of a table LibreOffice takes for formulas.

    Raises:
        subprocess.SubprocessError: If it does not open it.
    """
    (folder / "table.csv").write_text(table, encoding="utf-8", newline="")
    (folder / "table.xlsx").unlink(missing_ok=True)
    options = [
        f"-env:UserInstallation=file://{folder}/profile",
        "--headless",
        "--convert-to",
        "xlsx",
        "--outdir",
        str(folder),
    ]
    evaluated = f"--infilter=Text - txt - csv (StarCalc):{separator},34,76,1,,0,false,true,false,false,false,-1,true"
    command = [shutil.which("soffice") or "soffice", *options, evaluated, str(folder / "table.csv")]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    with zipfile.ZipFile(folder / "table.xlsx") as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/")]
        return sum(len(_FORMULA.findall(book.read(name))) for name in sheets)


def main() -> int:
    if not shutil.which("soffice"):
        print("soffice is not installed (Debian: libreoffice-calc-nogui).")
        return 1
    version = subprocess.run(
        ["soffice", "--version"], capture_output=True, text=True, encoding="utf-8", check=True
    ).stdout.strip()
    people, failures = names(), 0
    ours = grades_csv([result(name) for name in people])
    with tempfile.TemporaryDirectory(prefix="opened-") as folder:
        for word, separator in SEPARATORS.items():
            bare, found = (formulas(table, separator, Path(folder)) for table in (unprotected(people), ours))
            failures += bool(found)
            print(f"{word}: {found} formulas; {bare} without protection", flush=True)
    print(
        f"{version}: {len(people)} names, {failures} of {len(SEPARATORS)} ways to open the table let a formula through"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
