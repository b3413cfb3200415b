"""The PDF of a hand-in. Whatever goes wrong with it is one sentence; the zip is what counts."""

import logging
from pathlib import Path

from utils.exercise.pins import pinned

PDF_PACKAGES = ("typst", "pypandoc-binary")


def write_pdf(notebook: Path, name: str, student: str, sha256: str) -> str:
    """Write `NAME_submission.pdf` beside the notebook.

    Args:
        notebook: The notebook file.
        name: The notebook's name in the course, e.g. "07_flows".
        student: For the header; may be empty.
        sha256: The receipt's, for the header.

    Returns:
        One sentence: what was written, or why there is no PDF.
    """
    log = logging.getLogger("utils.submission.pages")
    log.propagate = False
    log.addHandler(logging.NullHandler())  # what is replaced stands on the PDF's last page
    try:
        from utils.export import export_pdf

        export = export_pdf(notebook, notebook.parent / f"{name}_submission.pdf", student, sha256, log)
    except Exception as error:  # a library's failure must not look like the hand-in's
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        return f"No PDF could be made ({reason}). The zip is complete without it."
    if export.path.suffix != ".pdf":
        return (
            f"Wrote {export.path.name} instead of a PDF: open it in a browser and print it (Ctrl+P, Save as PDF), or run "
            f"%pip install {pinned(*PDF_PACKAGES)} in a new cell, then this one again."
        )
    return f"Wrote {export.path.name}: {export.summary.counts()}"
