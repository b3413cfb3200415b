"""What was trained goes with the notebook: `save_weights` writes it, the hand-in check says whether it still fits the code."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from utils.assignments import Assignment, load_assignment
from utils.notebook.cells import Cell, Notebook
from utils.notebook.extraction import TaskSource, find_tasks
from utils.submission.session import read_runs
from utils.training.weights import WeightsError, code_digests, count, file_digests, read_weights, why_stale

_COMPILED = "_orig_mod."  # before the names of what `torch.compile` wraps, a whole network or a part of it

if TYPE_CHECKING:
    from torch import Tensor

    from utils.datasets._cache import Source


def save_weights(
    notebook: str, names: Mapping[str, Any], trained_on: "Source", folder: str | Path = "."
) -> Path | None:
    """Write what was trained beside the notebook, in half precision, and say what and how large.

    Args:
        notebook: The notebook's name, e.g. "07_flows".
        names: Where to look for the trained modules, by the names that the exercise gives: `globals()`, or a dictionary of them.
        trained_on: Where the training data came from: a data set's `source`.
        folder: Where the notebook lies.

    Returns:
        The file, a safetensors archive that `hand_in` packs; None where there is nothing to save, which a line says.

    Raises:
        ValueError: If the notebook hands in no weights.
        OSError: If the file cannot be written.
    """
    from safetensors.torch import save_file

    assignment = load_assignment(notebook)
    declared = assignment.about.weights
    if declared is None:
        raise ValueError(f"save_weights: {notebook} hands in no trained weights.")
    tensors: dict[str, Tensor] = {}
    listed = []
    for name in declared.models:
        state, problem = _halves(names.get(name))
        if problem:
            print(f"{name} {problem}")
            continue
        tensors |= {f"{name}/{key}": value for key, value in state.items()}
        listed.append(f"{name} ({sum(value.numel() for value in state.values()):,} numbers)")
    if not tensors:
        print("No weights were written.")
        return None
    code = json.dumps(_code_in_kernel(assignment))
    files = json.dumps(file_digests(_files_beside(Path(folder), assignment)))
    stand_in = "yes" if trained_on.is_stand_in else "no"
    note = {"trained_on": str(trained_on), "stand_in": stand_in, "code": code, "files": files}
    path = Path(folder) / declared.file
    save_file(tensors, path, note)
    size = path.stat().st_size / 2**20
    print(f"Wrote {path.name}, {size:.1f} MB in half precision: {', '.join(listed)}; trained on {trained_on}.")
    return path


def _halves(model: Any) -> tuple[dict[str, "Tensor"], str]:
    """A model's numbers in half precision; or why there are none, the end of a sentence that begins with its name."""
    import torch

    from utils.training.ours import is_ours

    model = _bare(model)
    if is_ours(model):
        return {}, "holds weights of ours, and is left out: hand in what you trained yourself."
    if not isinstance(model, torch.nn.Module):
        return {}, "is not there, and is left out: run the cells that train it first."
    floats = {key: value.detach().cpu() for key, value in model.state_dict().items() if value.is_floating_point()}
    state = {
        key.replace(_COMPILED, ""): value.to(torch.float16, copy=True, memory_format=torch.contiguous_format)
        for key, value in floats.items()
    }
    if not all(value.isfinite().all() for value in state.values()):
        return {}, "holds numbers that are not finite, and is left out: its training diverged."
    return state, ""


def _bare(model: Any) -> Any:
    """The student's own network out of what speeds it up, spreads it over devices, or averages it."""
    from torch.nn.parallel import DataParallel, DistributedDataParallel
    from torch.optim.swa_utils import AveragedModel

    while isinstance(model, DataParallel | DistributedDataParallel | AveragedModel):
        model = model.module
    return getattr(model, _COMPILED.rstrip("."), model)


def _code_in_kernel(assignment: Assignment) -> dict[str, str]:
    """Digests of the answers as the kernel ran them last; empty outside a notebook."""
    runs = read_runs() or []
    history = Notebook(tuple(Cell(run.number, "code", run.source) for run in runs))
    return code_digests(find_tasks(history, assignment).found)


def _files_beside(folder: Path, assignment: Assignment) -> dict[str, bytes]:
    """The other files that are handed in, as they lie there."""
    names = assignment.about.hand_in.files if assignment.about.hand_in else ()
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def find_weights_warnings(folder: Path, assignment: Assignment, sources: Iterable[TaskSource]) -> list[str]:
    """What is wrong with the weights beside a notebook: one sentence each; empty if the grader can use them all."""
    declared = assignment.about.weights
    if declared is None:
        return []
    path = folder / declared.file
    if not path.is_file():
        return [f"{declared.file} is not beside the notebook: run the cell that saves what you trained."]
    try:
        weights = read_weights(path.read_bytes(), path.name)
    except WeightsError as error:
        return [str(error)]
    now, files, said = code_digests(sources), _files_beside(folder, assignment), []
    for model, needs in declared.models.items():
        state = weights.models.get(model)
        if state is None:
            said.append(f"{path.name} holds no {model}: train it, then run the cell that saves.")
        elif needs.parameters and (numbers := count(state)) != needs.parameters:
            said.append(
                f"{path.name}: {model} has another shape, {numbers:,} numbers where the exercise asks for {needs.parameters:,}."
            )
        elif stale := why_stale(weights, model, needs.tasks, now, files):
            said.append(f"{path.name}: {stale}. Train it again, and save it.")
    if weights.is_stand_in:
        said.append(f"{path.name} was trained on a stand-in ({weights.trained_on}): a person looks at what it draws.")
    return said
