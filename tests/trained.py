"""Hand-ins with trained weights, made by rule: the solved notebook, and a file of weights that says it belongs to it."""

import io
import json
import zipfile
from collections.abc import Mapping

import numpy as np
from safetensors.numpy import load_file, save

from grader.authoring.trained import State
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


def of_ours(notebook: str, file: str, model: str = "") -> State:
    """A full training of the solved notebook, as the bundle holds it for who cannot wait: eight bits a weight.

    Args:
        notebook: Its name.
        file: Of the bundled weights, without its ending.
        model: Which of the file's, where it holds several.
    """
    stored = load_file(place_of(notebook).path / "weights" / f"{file}.safetensors")
    start = f"weights/{model}/"
    values = {key.removeprefix(start): value for key, value in stored.items() if key.startswith(start)}
    return {
        key: value.astype(np.float32) * values.get(f"{key}|scale", np.float32(1))
        for key, value in values.items()
        if "|" not in key and (value.dtype.kind == "f" or f"{key}|scale" in values)  # counters are no weights
    }
