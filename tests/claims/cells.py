"""A notebook's own code as names, so that what is measured is what a student runs.

Read from the percent format directly: the machine that measures need have neither Jupyter nor the grader.
"""

import ast
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset

import utils
from utils import set_seed

ASSIGNMENTS = Path(__file__).parents[2] / "assignments"
_UTILS = (
    "AirfoilDataset", "GAN_Tracker", "TensorLoader", "VAE_Tracker", "accelerated", "build_optimizer",
    "build_scheduler", "images_0_1", "measure_airfoils", "optimizer_of", "read_digits", "sure_share",
    "train_judge", "train_vae",
)  # fmt: skip
_WHOLE = ("# AUTOGRADED", "# GIVEN")


def seeds_from(seed: int) -> Callable[[int], None]:
    """`set_seed` as a notebook calls it, on another stream of random numbers for each seed; 0 is the notebook's own."""
    return lambda number: set_seed(number + 1000 * seed)


def names_of(folder: str, device: str = "cpu", seed: int = 0) -> dict[str, Any]:
    """Run the graded and given cells of a solved notebook, and the functions and classes of its other cells.

    Args:
        folder: Of the notebook in `assignments`.
        device: What stands for `Device` there.
        seed: Which stream of random numbers its `set_seed` starts.

    Returns:
        The names they define.
    """
    names: dict[str, Any] = {
        "math": math, "np": np, "torch": torch, "nn": nn, "optim": optim, "F": F, "lr_scheduler": lr_scheduler,
        "ReduceLROnPlateau": ReduceLROnPlateau, "DataLoader": DataLoader, "TensorDataset": TensorDataset,
        "FAST": False, "LOAD_OURS": False, "Device": torch.device(device), "set_seed": seeds_from(seed), "tqdm": lambda items, **_: items,
        "source": None, "SEED": 0, "__name__": folder,
    }  # fmt: skip
    names |= {name: getattr(utils, name) for name in _UTILS}
    names["load_pretrained"] = lambda *given: utils.load_pretrained(*given)  # not every machine can read its files
    for text in _code_cells((ASSIGNMENTS / folder / "notebook.py").read_text(encoding="utf-8")):
        if text.startswith(_WHOLE):
            exec(compile(text, f"<{folder}>", "exec"), names)
        elif not text.startswith(("# SETUP", "# IMPORTS", "# TEST")):
            _define(ast.parse(text), names)
    return names


def _code_cells(source: str) -> Iterator[str]:
    for cell in source.split("\n# %%")[1:]:
        head, _, text = cell.partition("\n")
        if "[markdown]" not in head:
            yield text


def _define(tree: ast.Module, names: dict[str, Any]) -> None:
    kept = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    exec(compile(ast.Module(kept, []), "<functions>", "exec"), names)
