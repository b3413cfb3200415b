"""Properties: what holds for every text, table, array, archive and notebook, looked for by hypothesis.

FUZZ_EXAMPLES=2000 in the environment looks longer.
"""

import contextlib
import io
import json
import os
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from assignments.airfoil_vae.checks.configs import MODEL_FILE, TRAIN_FILE, ConfigError, read_configs
from grader.platforms.collect import _distinct
from grader.platforms.gradebooks import GradebookError, fill, read_gradebook
from grader.platforms.hand_ins import HandIn
from grader.platforms.roster import RosterError, read_roster
from grader.platforms.tables import plain_text
from grader.platforms.tree import normal
from grader.records import Report
from grader.report import results_json
from grader.report.files import folder_name
from grader.report.results import is_results
from grader.sandbox.frames import Decoder, FrameError, encode
from grader.stages.intake import IntakeError, take_in_bytes
from tests.fuzz.promises import demand_sentence
from tests.support import one_verdict
from utils.assignments import load_assignment
from utils.exercise.files import save_yaml
from utils.notebook.cell_code import parse
from utils.notebook.cells import NotebookError, read_notebook
from utils.notebook.extraction import find_tasks, tag_line
from utils.notebook.printable import printable

always = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "30")), derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
ANY_TEXT = st.text(st.characters(categories=None, exclude_categories=()), max_size=60)  # half characters too
PLAIN_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
NAME = "01_kl_divergence"


# ---------------------------------------------------------------- text


@always
@given(ANY_TEXT)
def test_printable_is_printable_and_changes_nothing_else(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    assert shown == text or not text.isprintable()
    assert [c for c in text if c.isprintable() and c not in " ?"] == [c for c in shown if c not in " ?"]
    shown.encode()


@always
@given(ANY_TEXT)
def test_a_name_makes_a_folder_on_any_disk(student: str) -> None:
    folder = folder_name(student)
    assert 0 < len(folder.encode()) <= 255
    assert not set(folder) & set('/\\:*?"<>|\0') - {"_"}
    assert folder.strip(". ") == folder
    assert folder_name(folder) == folder
    assert unicodedata.is_normalized("NFC", folder)


@always
@given(
    st.lists(
        ANY_TEXT | st.sampled_from(["ada", "Ada", "ada (2)", "x" * 200, "作" * 200, "\U0001d160" * 90]),
        min_size=2,
        max_size=8,
    )
)
def test_no_two_hand_ins_share_a_folder(students: list[str]) -> None:
    hand_ins = _distinct([HandIn(normal(student), (), ()) for student in [*students, students[0]]])
    folders = {folder_name(hand_in.student).casefold() for hand_in in hand_ins}
    assert len(folders) == len(students) + 1


# ---------------------------------------------------------------- frames


NUMBERS = st.sampled_from(["<f2", "<f4", "<f8", "i1", "<i2", "<i4", "<i8", "u1", "?", ">f8", ">i4"])


@always
@given(
    st.lists(
        st.dictionaries(
            PLAIN_TEXT,
            hnp.arrays(NUMBERS.map(np.dtype), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)),
            max_size=4,
        ),
        max_size=3,
    ),
    st.dictionaries(PLAIN_TEXT.filter(lambda key: key != "arrays"), JSON.filter(lambda v: v == v), max_size=3),
    st.integers(1, 50),
)
def test_arrays_cross_the_channel_unchanged_in_any_pieces(
    sent: list[dict[str, np.ndarray]], header: dict, size: int
) -> None:
    try:
        data = b"".join(encode(header, arrays) for arrays in sent)
    except FrameError:
        return  # a header beyond the caps
    decoder = Decoder()
    found = [frame for n in range(0, len(data), size) for frame in decoder.feed(data[n : n + size])]
    assert len(found) == len(sent)
    for frame, arrays in zip(found, sent, strict=True):
        assert list(frame.arrays) == list(arrays)
        for name, array in arrays.items():
            assert frame.arrays[name].shape == array.shape
            np.testing.assert_array_equal(frame.arrays[name], array)


@always
@given(
    st.binary(max_size=200)
    | JSON.map(lambda header: encode({"x": 1})[:8] + json.dumps(header).encode("utf-8", "replace"))
)
def test_any_bytes_are_frames_or_an_error(data: bytes) -> None:
    with contextlib.suppress(FrameError):
        assert all(isinstance(frame.header, dict) for frame in Decoder().feed(data))


# ---------------------------------------------------------------- notebooks and zips


CELL = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | JSON,
        "source": ANY_TEXT | st.lists(ANY_TEXT, max_size=3) | JSON,
        "outputs": JSON,
        "execution_count": JSON,
        "metadata": JSON,
    },
)


@always
@given(
    st.builds(
        lambda cells, rest: {**rest, "cells": cells},
        st.lists(CELL | JSON, max_size=6),
        st.dictionaries(ANY_TEXT, JSON, max_size=3),
    )
    | JSON
)
def test_any_json_is_a_notebook_or_a_sentence(content: Any) -> None:
    try:
        notebook = read_notebook(json.dumps(content).encode())
    except NotebookError as error:
        demand_sentence(str(error))
        return
    for repair in find_tasks(notebook, load_assignment(NAME)).repairs:
        demand_sentence(repair)
    for cell in notebook.cells:
        cell.source.encode()


@always
@given(ANY_TEXT)
def test_any_cell_is_parsed_or_has_an_error_and_keeps_its_lines(source: str) -> None:
    code, tree = parse(source)
    assert code.count("\n") == source.count("\n")
    assert tree is not None
    tag_line(source)


@always
@given(
    st.sampled_from(
        [
            "# AUTOGRADED (5) D_KL",
            "#autograded(5)",
            "## Auto-Graded [5 points]: D_KL",
            "#  AUTO GRADED (5 pts) - d_kl",
            "# autograded",
        ]
    ),
    st.sampled_from(["", "\n\n", "%%time\n", "%matplotlib inline\n\n", "\ufeff", "   \n\t\n"]),
    st.sampled_from(["", " ", "\t"]),
)
def test_a_retyped_tag_is_understood(tag: str, above: str, indent: str) -> None:
    source = f"{above}{indent}{tag}\ndef D_KL(mu, logvar):\n    return mu.mean()\n"
    cells = [{"cell_type": "code", "source": source}]
    found = find_tasks(read_notebook(json.dumps({"cells": cells}).encode()), load_assignment(NAME)).found
    assert [source.task for source in found] == ["kl.D_KL"]
    assert not found[0].syntax_error


@always
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@given(
    st.lists(
        st.tuples(PLAIN_TEXT | st.sampled_from(["a.ipynb", "../a.ipynb", MODEL_FILE]), st.binary(max_size=50)),
        max_size=5,
    ),
    ANY_TEXT,
)
def test_any_zip_is_a_submission_or_a_sentence(members: list[tuple[str, bytes]], file_name: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    try:
        submission = take_in_bytes(out.getvalue(), file_name, "ada")
    except IntakeError as error:
        demand_sentence(str(error))
        return
    assert all(name.isprintable() and ".." not in name.split("/") for name in submission.notebooks)


# ---------------------------------------------------------------- configurations


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | PLAIN_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN_TEXT, inner, max_size=3),
    max_leaves=6,
)


@always
@given(
    st.lists(st.integers(1, 4096), min_size=1, max_size=16),
    st.fixed_dictionaries(
        {}, optional={"beta": st.floats(0, 1e6), "n_iters": st.integers(1, 10**6), "batch_size": st.integers(1, 4096)}
    ),
)
def test_what_save_yaml_writes_is_read_back(tmp_path: Path, hidden: list[int], train: dict) -> None:
    model = {"input_size": 200, "hidden_dims": hidden, "latent_size": 10}
    save_yaml(model, tmp_path / MODEL_FILE)
    save_yaml(train, tmp_path / TRAIN_FILE)
    files = {name: (tmp_path / name).read_bytes() for name in (MODEL_FILE, TRAIN_FILE)}
    assert read_configs(files) == (model, train)


@always
@given(
    st.dictionaries(
        st.sampled_from(["beta", "n_iters", "optimizer_name", "optimizer_config"]) | PLAIN_TEXT, VALUES, max_size=4
    ),
    ANY_TEXT,
)
def test_any_configuration_is_read_or_refused_with_a_sentence(train: dict, beside: str) -> None:
    model = b"input_size: 200\nhidden_dims: [64]\nlatent_size: 10\n"
    for text in (yaml.safe_dump(train), beside, f"beta: {beside}"):
        try:
            read_configs({MODEL_FILE: model, TRAIN_FILE: text.encode("utf-8", "replace")})
        except ConfigError as error:
            demand_sentence(f"{error}.")


# ---------------------------------------------------------------- class lists and grade files


def _csv(rows: list[list[str]]) -> str:
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in rows)


FIELD = PLAIN_TEXT.map(lambda text: text.replace("\r", " ")) | st.sampled_from(["EX", "7", "ada@x.org", "", "4711"])
ROWS = st.lists(st.lists(FIELD, min_size=7, max_size=7), max_size=5)


@always
@given(ROWS, st.text('\n,";ab\ufeff', max_size=20))
def test_filling_a_grade_file_changes_its_column_alone(tmp_path: Path, rows: list[list[str]], tail: str) -> None:
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"{NAME} (901)", "Essay (902)"]
    (tmp_path / "gradebook.csv").write_bytes((_csv([header, *rows]) + tail).encode())
    verdict = one_verdict()
    results = results_json(
        Report(student="ada", file_name="a.zip", notebook=NAME, submission_sha256="0", tier="A", verdicts=(verdict,))
    )
    results["extra_data"]["members"] = [{"name": "ada", "email": "ada@x.org", "ids": {"canvas": "4711"}}]
    assert is_results(results)
    book = read_gradebook(tmp_path / "gradebook.csv")
    before = [list(row) for row in book.rows]
    try:
        summary = fill(book, [results], tmp_path / "out")
    except GradebookError as error:
        demand_sentence(str(error))
        return
    demand_sentence(summary)
    after = read_gradebook(tmp_path / "out" / "gradebook.csv")
    changed = [
        (row, n) for row, new in zip(before, after.rows, strict=True) for n in range(len(row)) if row[n] != new[n]
    ]
    assert len(changed) == (" 1 scores " in summary)
    assert all(n == 5 and plain_text(row[n]) != "EX" for row, n in changed)


@always
@given(st.lists(FIELD | st.sampled_from(["name", "email", "id"]), min_size=1, max_size=4), ROWS)
def test_any_table_is_a_roster_or_a_sentence(tmp_path: Path, header: list[str], rows: list[list[str]]) -> None:
    (tmp_path / "roster.csv").write_bytes(_csv([header, *rows]).encode())
    try:
        people = read_roster(tmp_path / "roster.csv").people
    except RosterError as error:
        demand_sentence(str(error))
    else:
        assert people
        assert all(person.name and person.name.isprintable() for person in people)
