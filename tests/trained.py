"""Hand-ins with trained weights, made by rule: the solved notebook, and a file of weights that says it belongs to it."""

import io
import json
import zipfile
from collections.abc import Mapping

import numpy as np
from safetensors.numpy import save

from grader.authoring.trained import State, state_of_ours
from tests.support import answers
from utils.assignments import load_assignment
from utils.assignments.places import place_of
from utils.notebook.cells import read_notebook
from utils.notebook.extraction import find_tasks
from utils.training.weights import code_digests, file_digests


def weights_file(
    notebook: str,
    models: Mapping[str, State],
    *,
    stand_in: bool = False,
    code: dict[str, str] | None = None,
    data: bytes = b"",
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """A file as `save_weights` writes it.

    Args:
        notebook: Its name.
        models: By name, each model's state.
        stand_in: Whether it says that it was trained on a stand-in.
        code: Digests of the answers; those of the solved notebook when None.
        data: The notebook whose digests are written; the solved one when empty.
        files: What else lies beside the notebook, by name.
    """
    if code is None:
        found = find_tasks(read_notebook(data or answers(notebook)), load_assignment(notebook)).found
        code = code_digests(found)
    tensors = {
        f"{model}/{key}": np.asarray(value, np.float16)
        for model, state in models.items()
        for key, value in state.items()
    }
    note = {"trained_on": "scikit-learn digits" if stand_in else "MNIST", "stand_in": "yes" if stand_in else "no"}
    return save(tensors, note | {"code": json.dumps(code), "files": json.dumps(file_digests(files or {}))})


def hand_in(notebook: str, weights: bytes | None, data: bytes = b"", files: Mapping[str, bytes] | None = None) -> bytes:
    """The zip: a notebook, the solved one when none is given, the file of weights, and what else lies beside it."""
    declared = load_assignment(notebook).about.weights
    assert declared is not None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("notebook.ipynb", data or answers(notebook))
        if weights is not None:
            archive.writestr(declared.file, weights)
        for name, content in (files or {}).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def of_ours(notebook: str, file: str, model: str = "", exact: bool = False) -> State:
    """A full training of the solved notebook, as the bundle holds it for who cannot wait, or what a student's own with the same seed comes to.

    Args:
        notebook: Its name.
        file: Of the bundled weights, without its ending.
        model: Which of the file's, where it holds several.
        exact: As they are kept, with eight bits a weight; else with what eight bits leave out drawn.
    """
    state = state_of_ours(place_of(notebook).path / "weights" / f"{file}.safetensors", model)
    if exact:
        return state
    rng = np.random.default_rng(0)
    return {
        key: value + _step(value) * rng.uniform(-0.5, 0.5, value.shape).astype(np.float32)
        for key, value in state.items()
    }


def _step(value: np.ndarray) -> np.ndarray:
    """Between two of eight bits, for each row; none in what is kept whole."""
    if value.ndim < 2:
        return np.zeros_like(value)
    return np.abs(value.reshape(len(value), -1)).max(axis=1).reshape(-1, *[1] * (value.ndim - 1)) / 127
