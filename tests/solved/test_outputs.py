"""What is kept of a notebook's outputs, and that the rows of `differs.yaml` are needed and name cells that are there."""

import json
import re

import pytest
from nbformat import v4

from tests.solved.outputs import comparable, kept_file, rows, tolerance_of, with_expectations
from tools.notebook_source import source_names


def test_streams_are_joined_bars_and_pixels_left_out_and_the_pictures_words_kept():
    bar = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "epochs: 0%|  | 0/3"}
    outputs = [
        v4.new_output("stream", name="stdout", text="a\n"),
        v4.new_output("display_data", {"image/png": "aGk=", "text/html": "<img>", "text/plain": "A line."}),
        v4.new_output("display_data", bar),
        v4.new_output("display_data", {"text/plain": "epochs: 100%|██| 3/3 [00:02<00:00,  1.5it/s]"}),
        v4.new_output("display_data", {"text/plain": ""}),
        v4.new_output("stream", name="stderr", text="\repoch:  50%|# | 1/2 [00:01]\repoch: 100%|##| 2/2 [00:02]\n"),
        v4.new_output("stream", name="stdout", text="b\rc\n"),
    ]
    found = comparable(outputs)
    assert [output.get("text") or output.data for output in found] == ["a\nc\n", {"text/plain": "A line."}]


def test_an_error_is_kept_by_its_words():
    (found,) = comparable([v4.new_output("error", ename="E", evalue="v", traceback=["at 0x7f"])])
    assert found.data["text/plain"] == "E: v"


@pytest.mark.parametrize("name", source_names())
def test_every_notebook_has_kept_outputs_for_its_cells_and_no_others(name):
    """After a change that is meant: `python -m tests.solved NAME --keep`."""
    kept = json.loads(kept_file(name).read_text(encoding="utf-8"))
    assert set(kept) == {cell.id for cell in with_expectations(name).cells if cell.cell_type == "code"}
    texts = json.dumps(kept)
    ignored = [row["cell"] for row in rows() if row.get("ignored")]
    assert not [cell for cell in kept.values() if cell["outputs"] and cell["cell"].startswith(tuple(ignored))]
    assert not re.search(r"(^|[\s\"(])(\.\./|/(tmp|home|root|work|Users)/)", texts), (
        "a path of the machine that kept it"
    )
    assert " at 0x" not in texts, "an address differs in every run: end the line with a semicolon"
    assert sum(bool(cell["outputs"]) for cell in kept.values()) >= 20
    long = {cell["cell"]: lines for cell in kept.values() if (lines := sum(map(len, cell["outputs"]))) > 80}
    assert not long, f"nobody reads so many lines, the PDF leaves them out: {long}"
    values = [cell["cell"] for cell in kept.values() if cell["cell"] == "# TEST" and "shown" in _kinds(cell)]
    assert not values, "a test that ends with a value shows it: end it with an expect_"


def _kinds(cell: dict) -> set[str]:
    return {kind for kind, *_ in cell["outputs"]}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["cell"])
def test_every_row_of_what_may_differ_has_its_cell_and_its_reason(row):
    names = source_names() if row["notebook"] == "all" else [row["notebook"]]
    for name in names:
        assert (
            sum(row["cell"] in cell.source for cell in with_expectations(name).cells if cell.cell_type == "code") == 1
        )
    assert len(row["why"]) > 15
    assert set(row) - {"notebook", "cell", "why"}
    assert 0 <= tolerance_of(row).relative <= 0.5
