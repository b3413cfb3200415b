"""Make the weights of ours that notebooks offer who has no time to train: `weights/*.safetensors` of an assignment.

    python -m tools.weights 07_flows                         run the solved notebook in full, store what it trains
    python -m tools.weights 07_flows --only affine coupling  these alone, a part of each name
    python -m tools.weights 07_flows --on "5,085 images"     what it is trained on, where that is not all of its data

What is stored is what the notebook itself names in its calls `load_ours(name, networks, losses)`: each such line stands in a
block `if LOAD_OURS:`, and here it writes instead of reading. So a recipe and its weights cannot drift apart.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from symtable import symtable
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tools.notebooks import solved_notebook
from utils.assignments import load_assignment
from utils.assignments.course import add_course_option, enter_course
from utils.assignments.places import place_of, shown
from utils.training.ours import ORDER, SCALE, history_tensors

_SWITCH, _CALL = "if LOAD_OURS:", "load_ours("
_SMALL = 4096  # numbers; below, eight bits would save nothing


def packed(tensor: Tensor) -> tuple[Tensor, Tensor | None]:
    """A tensor as it is stored: matrices and kernels with eight bits a number and a factor for each row, others whole.

    Args:
        tensor: Any shape and kind.

    Returns:
        The numbers, and the factors, shape (rows, 1, ...); None where the numbers are kept as they are (float16).
    """
    tensor = tensor.detach().cpu()
    if not tensor.is_floating_point():
        return tensor.contiguous(), None
    if tensor.ndim < 2 or tensor.numel() < _SMALL:
        return tensor.half().contiguous(), None
    rows = tensor.flatten(1).abs().amax(dim=1).clamp(min=1e-12) / 127
    factors = rows.reshape(-1, *[1] * (tensor.ndim - 1))
    return (tensor / factors).round().to(torch.int8).contiguous(), factors


def store(path: Path, models: nn.Module | Mapping[str, nn.Module], history: Any, trained_on: str) -> None:
    """Write one training as `utils.training.ours.load_ours` reads it."""
    tensors: dict[str, Tensor] = {}
    for part, model in ({"": models} if isinstance(models, nn.Module) else models).items():
        for key, value in model.state_dict().items():
            numbers, factors = packed(value)
            tensors[f"weights/{part}/{key}"] = numbers
            if factors is not None:
                tensors[f"weights/{part}/{key}{SCALE}"] = factors
    tensors |= {f"history/{key}": value.contiguous() for key, value in history_tensors(history).items()}
    path.parent.mkdir(exist_ok=True)
    save_file(tensors, path, metadata={"trained_on": trained_on, ORDER: "\n".join(tensors)})


def make_weights(name: str, trained_on: str, only: Sequence[str] = ()) -> list[Path]:
    """Run a solved notebook in full, in this process, and store what its `load_ours` calls name.

    Args:
        name: The notebook's name.
        trained_on: For the line that a student reads.
        only: Parts of the names that are wanted; empty for all. Cells that none of these needs are passed over.

    Returns:
        The files written.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    written = []

    def keep(stem: str, models: Any, history: Any = None) -> Any:
        written.append(place_of(name).path / "weights" / f"{stem}.safetensors")
        store(written[-1], models, history, trained_on)
        print(f"wrote {shown(written[-1])}, {written[-1].stat().st_size / 1000:.0f} kB", flush=True)
        return history

    names: dict[str, Any] = {"__name__": "__main__"}
    for number, code in _needed_cells(name, only):
        try:
            exec(compile(code.replace(_SWITCH, "if True:"), f"<code cell {number}>", "exec"), names)
        except FileNotFoundError as error:  # a cell that shows weights of ours before there are any
            print(f"code cell {number} is passed over: {error}")
        plt.close("all")
        if "load_ours" in names:
            names["load_ours"] = keep
    return written


def _needed_cells(name: str, only: Sequence[str]) -> list[tuple[int, str]]:
    """The cells that hold the wanted calls, and those that bind what these need: number and code, in order."""
    cells = [cell.source for cell in solved_notebook(name).cells if cell.cell_type == "code"]
    kept, needed = [], set[str]()
    for number, code in reversed([*enumerate(cells, 1)]):
        is_wanted = _CALL in code and (not only or any(part in code for part in only))
        bound, used = _names(code)
        if not code.startswith("# TEST") and (is_wanted or number <= 2 or bound & needed):
            kept.append((number, code))
            needed = (needed - bound) | used
    return kept[::-1]


def _names(code: str) -> tuple[set[str], set[str]]:
    """The names that a cell binds for those below, and those it takes from above or binds anew from their own value."""
    top = symtable(code, "<cell>", "exec")
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    tables, used = [top], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        used |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (table is top or s.is_global())}
    return bound, used


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    arguments = enter_course(arguments)
    parser = argparse.ArgumentParser(prog="python -m tools.weights", description="Make the weights of ours.")
    parser.add_argument("name", metavar="NAME", help="the notebook to run")
    parser.add_argument("--only", nargs="*", default=(), metavar="PART", help="those whose names hold one of these")
    parser.add_argument("--on", default="", metavar="TEXT", help="what it is trained on (default: its data)")
    add_course_option(parser)
    options = parser.parse_args(arguments)
    if os.environ.get("FAST") == "1":
        print("FAST=1 is set: weights of a short run are of no use; unset it.", file=sys.stderr)
        return 1
    data = load_assignment(options.name).about.data
    began = time.monotonic()
    if "DATA_DIR" in os.environ:
        os.environ["DATA_DIR"] = str(Path(os.environ["DATA_DIR"]).resolve())
    place = place_of(options.name).course.root / "notebooks"
    with tempfile.TemporaryDirectory(dir=place, prefix=".weights-") as folder:  # where its pictures go
        os.chdir(folder)
        make_weights(options.name, options.on or (data.title if data else "its own data"), options.only)
        os.chdir(place)
    print(f"{options.name} took {(time.monotonic() - began) / 60:.1f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
