"""What a run of a notebook says of its predictions, for the tests that execute one."""

import re

from nbformat import NotebookNode

from utils.assignments import load_assignment

_SHOWN = re.compile(
    r"Prediction `([\w-]+)`: this run ((?:is (?:short|on a stand-in) and )+)?(?:shows ([A-Z])|decides nothing)"
)


def disagreements(name: str, executed: NotebookNode) -> list[str]:
    """Predictions whose text does not call right what the run shows, as sentences; of those that a full run on the real data decides.

    Args:
        name: Of the notebook.
        executed: It, with outputs.
    """
    printed = "".join(
        out.text for cell in executed.cells for out in cell.get("outputs", []) if out.output_type == "stream"
    )
    shown = {id_: (letter, bool(short)) for id_, short, letter in _SHOWN.findall(printed)}
    faults = []
    for one in load_assignment(name).predictions:
        letter, is_short = shown.get(one.id, ("nothing", False))
        if letter != one.right and not is_short:
            faults.append(f"{one.id}: the text says {one.right}, the run {letter or 'nothing'}")
    return faults
