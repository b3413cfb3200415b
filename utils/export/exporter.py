"""The nbconvert exporter `typstpdf`, and `export_pdf`, which the hand-in and the command line call."""

import copy
import json
import logging
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.exporters.exporter import Exporter
from traitlets import Bool, Enum, Int, Unicode, default

from . import assembly, browser, cells, document, typeset
from .pandoc import PandocError
from .parts import Limits
from .summary import Summary


class ExportError(RuntimeError):
    """The notebook cannot be exported at all; the sentence says why and what to do."""


class TypstPDFExporter(Exporter):
    """Exports a notebook to PDF through pandoc and Typst: `jupyter nbconvert --to typstpdf NOTEBOOK`.

    Without the two wheels the notebook is printed by an installed browser; without a browser the result is one HTML
    file (`resources["output_extension"]` says so). What is replaced or left out is logged and printed on the last page.
    """

    export_from_notebook = "PDF via Typst"
    output_mimetype = "application/pdf"

    student = Unicode("", help="Name printed in the header.").tag(config=True)
    receipt = Unicode("", help="SHA-256 of the hand-in, printed in the header.").tag(config=True)
    paper = Enum(["a4", "us-letter"], "a4", help="Paper size.").tag(config=True)
    max_lines = Int(100, help="Lines printed of one output.").tag(config=True)
    max_characters = Int(2000, help="Characters printed of one line.").tag(config=True)
    # Off: the first page lists the responses with their pages, and a question stays on the page of its response;
    # a page for each would be half empty. On: for those who assign pages to questions.
    manual_on_new_page = Bool(False, help="Begin a page before a question that only a person grades.").tag(config=True)

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".pdf"

    @default("optimistic_validation")
    def _optimistic_validation_default(self) -> bool:
        return True  # validating after each of the eleven standard preprocessors takes longer than typesetting

    def from_notebook_node(self, nb, resources=None, **kw: Any):
        """Convert a notebook.

        Args:
            nb: The notebook. `metadata.hand_in` may hold `student` and `receipt`; the exporter's own traits go first.
            resources: nbconvert's; `metadata.name` and `metadata.path` say where the notebook lies.

        Returns:
            The PDF's bytes and the resources, with an `export_summary`; the bytes of an HTML file, and
            `output_extension` `.html`, if there is neither Typst nor a browser.
        """
        resources = self._init_resources(resources)
        notebook = self._preprocessed(nb, resources)
        summary = Summary()
        front = self._front(notebook, resources["metadata"])
        folder = Path(resources["metadata"].get("path") or ".")
        try:
            data = self._typeset(notebook, front, folder, summary)
        except (PandocError, typeset.TypesetError) as error:
            self.log.warning("%s; trying a browser instead.", error)
            summary = Summary(cells=len(notebook["cells"]))
            data, resources["output_extension"] = browser.print_notebook(notebook, front, str(error), self.log)
            is_pdf = resources["output_extension"] == ".pdf"
            fate = "printed by a browser instead" if is_pdf else "an HTML file instead: print it from a browser"
            summary.lose(0, "document", f"{error}; {fate}.")
        for sentence in summary.sentences():
            self.log.warning("%s", sentence)
        resources["export_summary"] = summary
        return data, resources

    def _preprocessed(self, nb, resources) -> dict:
        """The notebook after nbconvert's configured preprocessors, or as it is when it is not valid."""
        from nbformat import ValidationError

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about cell ids, which a printed page has no use for
                return self._preprocess(nb, resources)[0]
        except ValidationError as error:
            self.log.warning("The notebook is not valid (%s); exported as it is.", str(error).splitlines()[0])
            return copy.deepcopy(nb)

    def _front(self, notebook: dict, metadata: dict) -> document.Front:
        hand_in = notebook.get("metadata", {}).get("hand_in") or {}
        name = metadata.get("name") or "notebook"
        return document.Front(
            title=cells.title_of(notebook, name),
            file=f"{name}.ipynb",
            student=self.student or str(hand_in.get("student", "")),
            receipt=self.receipt or str(hand_in.get("receipt", "")),
            paper=self.paper,
        )

    def _typeset(self, notebook: dict, front: document.Front, source_folder: Path, summary: Summary) -> bytes:
        limits = Limits(self.max_lines, self.max_characters)
        parts = cells.read_parts(notebook, limits, summary, self.manual_on_new_page)
        with tempfile.TemporaryDirectory() as folder:
            pages = assembly.build(parts, front, source_folder, Path(folder).resolve(), summary)
            return typeset.typeset(pages, self.log)


@dataclass(frozen=True)
class Export:
    """What `export_pdf` made: the file (`.pdf`, or `.html` where no PDF could be made) and what it does not show."""

    path: Path
    summary: Summary


def export_pdf(
    notebook: str | Path,
    out: str | Path | None = None,
    student: str = "",
    receipt: str = "",
    log: logging.Logger | None = None,
) -> Export:
    """Write a notebook as a PDF.

    Args:
        notebook: Path of the `.ipynb` file; it is not changed and not run.
        out: Path of the PDF; beside the notebook if not given.
        student: Name for the header.
        receipt: SHA-256 of the hand-in for the header.
        log: Told about everything that is replaced or left out.

    Returns:
        The file written and the summary.

    Raises:
        ExportError: If the notebook cannot be read or the file cannot be written.
    """
    path = Path(notebook)
    nb = _read(path)
    exporter = TypstPDFExporter(student=student, receipt=receipt, **({"log": log} if log else {}))
    data, resources = exporter.from_notebook_node(nb, {"metadata": {"name": path.stem, "path": str(path.parent)}})
    target = Path(out) if out else path.with_suffix(".pdf")
    target = target.with_suffix(resources["output_extension"])
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    except OSError as error:
        raise ExportError(f"{target}: cannot be written ({error.strerror}). Choose another place with --out.") from None
    return Export(target, resources["export_summary"])


def _read(path: Path):
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except OSError as error:
        raise ExportError(
            f"{path}: cannot be opened ({error.strerror}). Check the name; a notebook ends in .ipynb."
        ) from None
    except (nbformat.reader.NotJSONError, json.JSONDecodeError, UnicodeDecodeError):
        raise ExportError(
            f"{path}: is not a notebook (got something that is not JSON). Save it again in Jupyter."
        ) from None
    except Exception as error:  # nbformat raises many kinds for JSON that is no notebook
        raise ExportError(f"{path}: is not a notebook that can be read ({error}). Save it again in Jupyter.") from None
