"""Hand-ins with trained weights, made by rule: the solved notebook, and a file of weights that says it belongs to it."""

import io
import json
import zipfile
from collections.abc import Mapping

import numpy as np
from safetensors.numpy import save

from grader.authoring.trained import State
from tests.support import answers
from utils.assignments import load_assignment
from utils.notebook.cells import read_notebook
from utils.notebook.extraction import find_tasks
from utils.training.weights import code_digests


def weights_file(
    notebook: str,
    models: Mapping[str, State],
    *,
    stand_in: bool = False,
    code: dict[str, str] | None = None,
    data: bytes = b"",
) -> bytes:
    """A file as `save_weights` writes it.

    Args:
        notebook: Its name.
        models: By name, each model's state.
        stand_in: Whether it says that it was trained on a stand-in.
        code: Digests of the answers; those of the solved notebook when None.
        data: The notebook whose digests are written; the solved one when empty.
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
    return save(tensors, note | {"code": json.dumps(code)})


def hand_in(notebook: str, weights: bytes | None, data: bytes = b"") -> bytes:
    """The zip: a notebook, the solved one when none is given, and the file of weights."""
    declared = load_assignment(notebook).about.weights
    assert declared is not None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("notebook.ipynb", data or answers(notebook))
        if weights is not None:
            archive.writestr(declared.file, weights)
    return buffer.getvalue()
