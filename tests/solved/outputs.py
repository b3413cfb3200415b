"""What is kept of a solved notebook's outputs: words and numbers, the text of each picture; neither pixels nor progress bars."""

import json
import re
from functools import cache
from pathlib import Path

import yaml
from nbformat import NotebookNode, v4

from tests.solved.numbers import Tolerance
from tools.notebooks import solved_notebook

HERE = Path(__file__).resolve().parent
_WIDGET = "application/vnd.jupyter.widget-view+json"
_BAR = re.compile(r"^.*%\|.*$\n?", re.MULTILINE)


def kept_file(name: str) -> Path:
    """Where the outputs of a notebook are kept."""
    return HERE / "expected" / f"{name}.json"


def comparable(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """A cell's outputs as they are kept and compared: what is written to a stream in one piece, what is shown as its text."""
    streams: dict[str, str] = {}
    shown = []
    for output in outputs:
        if output.output_type == "stream":
            text = output.text if isinstance(output.text, str) else "".join(output.text)
            streams[output.name] = streams.get(output.name, "") + text
        elif output.output_type == "error":
            shown.append(f"{output.ename}: {output.evalue}")
        elif _WIDGET not in output.data and output.data.get("text/plain"):
            text = output.data["text/plain"]
            text = text if isinstance(text, str) else "".join(text)
            shown += [text] if _BAR.sub("", text) else []
    final = {
        name: _BAR.sub("", re.sub(r"^.*\r(?=[^\n])", "", text, flags=re.M)) for name, text in sorted(streams.items())
    }
    written = [v4.new_output("stream", name=name, text=text) for name, text in final.items() if text.strip()]
    return [*written, *(v4.new_output("display_data", {"text/plain": text}) for text in shown)]


def keep(name: str, executed: NotebookNode) -> None:
    """Write the outputs of an executed notebook beside the others."""
    cells = {
        cell.id: {
            "cell": cell.source.partition("\n")[0],
            "outputs": [
                [output.get("name", "shown"), *(output.get("text") or output.data["text/plain"]).split("\n")]
                for output in comparable(cell.outputs)
                if not _differs(name, cell.source).get("ignored")  # they name folders and digests of this machine
            ],
        }
        for cell in executed.cells
        if cell.cell_type == "code"
    }
    text = json.dumps(cells, indent=1, ensure_ascii=False) + "\n"
    kept_file(name).write_text(text, encoding="utf-8")


def with_expectations(name: str) -> NotebookNode:
    """The solved notebook with its kept outputs; a cell that is not among them is to print nothing."""
    notebook, kept = solved_notebook(name), {}
    if kept_file(name).is_file():
        kept = json.loads(kept_file(name).read_text(encoding="utf-8"))
    for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
        cell.execution_count = count  # nbval compares no cell without one
        cell.outputs = [_output(*entry) for entry in kept.get(cell.id, {"outputs": []})["outputs"]]
        if differs := _differs(name, cell.source):
            cell.metadata["differs"] = differs
    return notebook


def _output(kind: str, *lines: str) -> NotebookNode:
    text = "\n".join(lines)
    return (
        v4.new_output("display_data", {"text/plain": text})
        if kind == "shown"
        else v4.new_output("stream", name=kind, text=text)
    )


@cache
def rows() -> list[dict]:
    """What `differs.yaml` says."""
    return yaml.safe_load((HERE / "differs.yaml").read_text(encoding="utf-8"))


def _differs(name: str, source: str) -> dict:
    found = [row for row in rows() if row["notebook"] in (name, "all") and row["cell"] in source]
    return {key: value for row in found for key, value in row.items() if key not in ("notebook", "cell")}


def tolerance_of(differs: dict) -> Tolerance:
    """The tolerance that a row of `differs.yaml` gives a cell."""
    return Tolerance(**{key: differs[key] for key in ("relative", "absolute", "whole") if key in differs})
