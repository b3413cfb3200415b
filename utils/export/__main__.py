"""`python -m utils.export NOTEBOOK... [--out FILE] [--student NAME] [--receipt SHA]`: notebooks as PDFs.

Loading what makes a PDF takes longer than making one: give a class's notebooks together.
"""

import argparse
import logging
import sys
from pathlib import Path

from utils.notebook.printable import print_anything

from .exporter import ExportError, export_pdf

_LOG = logging.getLogger("utils.export")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 when PDFs were written, 1 when of some only an HTML file could be, 2 when of some nothing could."""
    parser = argparse.ArgumentParser(
        prog="python -m utils.export", description="Write notebooks as PDFs, outputs as saved."
    )
    parser.add_argument("notebooks", nargs="+", metavar="notebook", help="an .ipynb file")
    parser.add_argument("--out", help="the PDF to write, or the folder for several (default: beside each notebook)")
    parser.add_argument("--student", default="", help="name for the header")
    parser.add_argument("--receipt", default="", help="SHA-256 of the hand-in, for the header")
    chosen = parser.parse_args(arguments)
    print_anything()
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    is_class = len(chosen.notebooks) > 1
    if is_class and (chosen.student or chosen.receipt):
        parser.error("--student and --receipt are about one notebook")
    if is_class and (mistake := _clash(chosen.notebooks, chosen.out)):
        parser.error(mistake)
    codes = []
    for notebook in chosen.notebooks:
        out = str(_inside(chosen.out, notebook)) if is_class and chosen.out else chosen.out
        codes.append(_export(notebook, out, chosen.student, chosen.receipt))
    return max(codes)


def _inside(folder: str, notebook: str) -> Path:
    return Path(folder) / f"{Path(notebook).stem}.pdf"


def _clash(notebooks: list[str], folder: str | None) -> str:
    """Why several cannot be written there; "" where they can."""
    if folder is None:
        return ""
    made = [_inside(folder, notebook).name.casefold() for notebook in notebooks]
    twice = next((name for name in made if made.count(name) > 1), "")
    if twice:
        return f"two notebooks would become {twice} in {folder}: leave --out away, or give them other names"
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"{folder} is no folder that can be written in ({error.strerror}): for several notebooks --out is one"
    return ""


def _export(notebook: str, out: str | None, student: str, receipt: str) -> int:
    """One notebook; what is wrong with it is said, and no other pays for it."""
    try:
        export = export_pdf(notebook, out, student, receipt, _LOG)
    except ExportError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{export.path}: {export.summary.counts()}")
    return 0 if export.path.suffix == ".pdf" else 1


if __name__ == "__main__":
    sys.exit(main())
