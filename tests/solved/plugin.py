"""A pytest plugin beside nbval's: numbers are held to a tolerance, and what every cell showed is kept for other tests.

nbval's own sanitising replaces by pattern, which can cut digits off and cannot allow 0.999 for 1.000.
"""

import copy
import os
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode, v4
from nbval.plugin import IPyNbCell, IPyNbFile

from tests.solved.numbers import settled
from tests.solved.outputs import comparable, tolerance_of

_ID = "display_id"
EXECUTED = "SOLVED_EXECUTED"  # the environment's variable that names the file to write


class Cell(IPyNbCell):
    """A cell whose numbers have tolerances."""

    def compare_outputs(self, test, ref, skip_compare=None):
        """nbval's comparison, of what is comparable."""
        differs = self.cell.metadata.get("differs", {})
        if differs.get("ignored"):
            return True
        got, kept = comparable(self.parent.final(test)), comparable(ref)
        for mine, theirs in zip(got, kept, strict=False):
            if (mine.output_type, mine.get("name")) == (theirs.output_type, theirs.get("name")):
                _put(mine, settled(_text(mine), _text(theirs), tolerance_of(differs)))
                _put(theirs, settled(_text(theirs), _text(theirs)))
        return super().compare_outputs(got, kept, skip_compare)


def _text(output: NotebookNode) -> str:
    return output.text if output.output_type == "stream" else output.data["text/plain"]


def _put(output: NotebookNode, text: str) -> None:
    if output.output_type == "stream":
        output.text = text
    else:
        output.data["text/plain"] = text


class File(IPyNbFile):
    """A notebook whose pictures may be replaced in place, and that is written as it was executed."""

    def collect(self):
        """nbval's cells, as ours."""
        for item in super().collect():
            yield Cell.from_parent(self, name=item.name, cell_num=item.cell_num, cell=item.cell, options=item.options)

    def setup(self):
        """Start the kernel."""
        super().setup()
        self.kernel.execute_cell_input = self._execute  # type: ignore[method-assign]
        self.replaced: dict[str, dict] = {}  # what took the place of a picture, by the display's id

    def _execute(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """As a notebook runs a cell: with a history, without which nobody knows that a line ends in `;`."""
        return self.kernel.kc.execute(cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)

    def get_kernel_message(self, timeout=None, stream="iopub"):
        """The next message. nbval knows none that replaces a picture: it is kept for `final`, and goes by another name."""
        message = super().get_kernel_message(timeout, stream)
        content = message["content"]
        known = content.get("transient", {}).get("display_id") if isinstance(content, dict) else None
        if known and message["msg_type"] == "display_data":
            content["metadata"] = {**content["metadata"], _ID: known}
        elif known and message["msg_type"] == "update_display_data":
            self.replaced[known] = content
            message["msg_type"] = "comm_msg"
        return message

    def final(self, outputs: list[NotebookNode]) -> list[NotebookNode]:
        """A cell's outputs as they stand at the end, pictures replaced."""
        found = []
        for output in outputs:
            output = copy.deepcopy(output)
            known = output.get("metadata", {}).pop(_ID, None)
            if known in self.replaced:
                output["data"], output["metadata"] = self.replaced[known]["data"], self.replaced[known]["metadata"]
            found.append(output)
        return found


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent):
    """Ours in the place of nbval's: every cell would run twice."""
    found = yield
    return [File.from_parent(parent, path=file_path)] if file_path.suffix == ".ipynb" else found


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session) -> None:
    """Write the notebook as it was executed."""
    items = [item for item in session.items if isinstance(item, Cell)]
    target = os.environ.get(EXECUTED)
    if not items or not target:
        return
    notebook = copy.deepcopy(items[0].parent.nb)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, (cell, item) in enumerate(zip(code, items, strict=True), 1):
        cell.execution_count = count
        cell.outputs = [_saved(output, count) for output in item.parent.final(item.test_outputs or [])]
        cell.metadata.pop("differs", None)
    nbformat.write(notebook, target)


def _saved(output: NotebookNode, count: int) -> NotebookNode:
    kind = output.output_type
    if kind == "stream":
        return v4.new_output(kind, name=output.name, text=output.text)
    if kind == "error":
        return v4.new_output(kind, ename=output.ename, evalue=output.evalue, traceback=output.traceback)
    more = {"execution_count": count} if kind == "execute_result" else {}
    return v4.new_output(kind, data=output.data, metadata=output.metadata, **more)
