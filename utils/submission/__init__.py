"""The last step of a notebook: see what is open, pack it, print it, keep a receipt.

    hand_in("07_flows")                             the notebook's last cell
    python -m utils.submission check|zip NOTEBOOK           the same from a terminal (`make hand-in`)

The notebook is read by the same code as the grader's, so what is found here is what the grader will find. Nothing that
is found keeps the zip from being written: a student may always hand in what there is.

    place        which file is the running notebook: Jupyter, VS Code, Colab
    check        everything below, as what costs points and what is worth a look
      answers      tasks and responses: missing, open, not allowed
      execution    cells that did not run, ran out of order, or stopped
      figures      pictures a person is to be shown
      session      what the running kernel knows and the file does not
    archive      the zip and its receipt
    pages        the PDF
    steps        the steps in their order, and what they print
"""

import importlib

_HOME = {"hand_in": "steps", "check_notebook": "check", "watch_runs": "session"}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"utils.submission has no {name!r}; it offers: {', '.join(__all__)}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
