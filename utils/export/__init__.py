"""A notebook as a PDF, with nothing to install but pip's wheels: pandoc reads the Markdown, Typst sets the pages.

    jupyter nbconvert --to typstpdf NOTEBOOK          the nbconvert exporter
    python -m utils.export NOTEBOOK --student NAME    the same without an entry point (the student bundle)

How a notebook becomes pages, one module a step:

    cells      the notebook's cells and outputs, as prose, listings, pictures and notes
    runs       fixed-width text as lines that fit the page; colours: pygments and terminal colours
    maths      finds the formulas in the prose and takes them out, as the notebook's own renderer does
    pandoc     prose and formulas to Typst, in one pandoc process (md.lua, formulas.lua)
    assembly   all parts to one Typst document: pictures checked, code coloured (template.typ sets the look)
    document   the document's parts, and what takes their place when they fail
    typeset    compiles it; what Typst refuses is replaced by its source, formula by formula, part by part
    browser    the way out without the wheels: HTML, printed by an installed Chrome, Edge or Chromium
    loading    nbconvert without what it never asks for
    summary    what was replaced, shortened or left out; printed at the end of the PDF and in the log
"""

import importlib

_HOME = {"TypstPDFExporter": "exporter", "export_pdf": "exporter", "ExportError": "exporter"}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"utils.export has no {name!r}; it offers: {', '.join(__all__)}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
