"""`python -m utils.export NOTEBOOK [--out FILE] [--student NAME] [--receipt SHA]`: a notebook as a PDF."""

import argparse
import logging
import sys

from utils.notebook.printable import print_anything

from .exporter import ExportError, export_pdf


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 when a PDF was written, 1 when only an HTML file could be, 2 when nothing could."""
    parser = argparse.ArgumentParser(
        prog="python -m utils.export", description="Write a notebook as a PDF, outputs as saved."
    )
    parser.add_argument("notebook", help="the .ipynb file")
    parser.add_argument("--out", help="the PDF to write (default: beside the notebook)")
    parser.add_argument("--student", default="", help="name for the header")
    parser.add_argument("--receipt", default="", help="SHA-256 of the hand-in, for the header")
    chosen = parser.parse_args(arguments)
    print_anything()
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        export = export_pdf(
            chosen.notebook, chosen.out, chosen.student, chosen.receipt, logging.getLogger("utils.export")
        )
    except ExportError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{export.path}: {export.summary.counts()}")
    return 0 if export.path.suffix == ".pdf" else 1


if __name__ == "__main__":
    sys.exit(main())
