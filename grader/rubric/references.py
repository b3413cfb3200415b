"""The reference values: what the reference solution returns for the public inputs, kept in the assignment's `references/`.

`values.npz` holds inputs and outputs of every public call, and the outputs of the usual slips: the numbers of each kind in one array,
and beside them where each value lies, because a file of a thousand arrays takes a tenth of a second to read. `about.json` says how it was
made (command, versions, seed) and holds the solution's cells, which are run in the sandbox on the inputs drawn for a
submission. `make references` rebuilds both. Only the grader's process opens them; no student's process can.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from grader.authoring.check import Arrays
from grader.records import CellSource
from utils.assignments import Assignment
from utils.assignments.places import CourseError, place_of, shown


@dataclass(frozen=True)
class Slip:
    """A usual wrong answer: what it returns for the public calls of its task, and what to tell who made it."""

    task: str
    name: str
    sentence: str
    outputs: dict[str, Arrays]  # by call; empty where it raises


@dataclass(frozen=True)
class References:
    """Everything known about the right answers of one assignment."""

    assignment: str
    versions: dict[str, str]
    solution: tuple[CellSource, ...]
    inputs: dict[str, Arrays]  # by public call
    outputs: dict[str, Arrays]
    slips: tuple[Slip, ...]

    def slips_of(self, task: str) -> tuple[Slip, ...]:
        return tuple(slip for slip in self.slips if slip.task == task)


_version = cache(version)  # reads files: too slow for every submission


def library_versions(assignment: Assignment) -> dict[str, str]:
    """The versions of the libraries that an assignment's numbers come from."""
    return {name: _version(name) for name in ("torch", "numpy") if name == "numpy" or assignment.about.uses(name)}


def has_references(assignment: str) -> bool:
    """Whether an assignment's reference values have been made."""
    return all(path.exists() for path in _files(assignment))


def require_references(assignment: str) -> None:
    """Stop where reference values are missing or cannot be read.

    Raises:
        CourseError: With the command that makes them.
    """
    again = f"make them with `python -m tools.references {assignment}`"
    try:
        load_references(assignment)
    except FileNotFoundError:
        missing = next(path for path in _files(assignment) if not path.exists())
        raise CourseError(f"{shown(missing)}: the reference values are missing; {again}.") from None
    except Exception as error:  # whatever a damaged file leads to
        folder = shown(_files(assignment)[0].parent)
        raise CourseError(f"{folder}: the reference values cannot be read ({type(error).__name__}); {again}.") from None


def _files(assignment: str) -> tuple[Path, Path]:
    folder = place_of(assignment).references
    return folder / "about.json", folder / "values.npz"


@cache
def load_references(assignment: str) -> References:
    """Read the reference values of an assignment.

    Raises:
        FileNotFoundError: If they have not been made yet; the message names the command.
    """
    described, stored = _files(assignment)
    if not has_references(assignment):
        raise FileNotFoundError(f"no reference values for {assignment}: make them with `make references`")
    about = json.loads(described.read_text(encoding="utf-8"))
    arrays: dict[str, dict[str, Arrays]] = {}
    with stored.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        for (group, call, name), array in _unpacked(dict(file)):
            arrays.setdefault(group, {}).setdefault(call, {})[name] = array
    slips = tuple(
        Slip(slip["task"], slip["name"], slip["sentence"], arrays.get(f"slip:{slip['task']}:{slip['name']}", {}))
        for slip in about["slips"]
    )
    solution = tuple(CellSource(cell["cell"], cell["source"], tuple(cell["tasks"])) for cell in about["solution"])
    return References(
        assignment=assignment,
        versions=about["versions"],
        solution=solution,
        inputs=arrays.get("in", {}),
        outputs=arrays.get("out", {}),
        slips=slips,
    )


def save_references(references: References, command: str) -> None:
    """Write both files; the same references give the same bytes."""
    groups = {"in": references.inputs, "out": references.outputs}
    groups |= {f"slip:{slip.task}:{slip.name}": slip.outputs for slip in references.slips}
    arrays = {
        (group, call, name): value
        for group, called in groups.items()
        for call, values in called.items()
        for name, value in values.items()
    }
    described, stored = _files(references.assignment)
    described.parent.mkdir(exist_ok=True)
    np.savez_compressed(stored, **_packed(arrays))  # type: ignore[arg-type]
    about = {
        "assignment": references.assignment,
        "command": command,
        "versions": references.versions,
        "slips": [{"task": slip.task, "name": slip.name, "sentence": slip.sentence} for slip in references.slips],
        "solution": [
            {"cell": cell.cell, "tasks": list(cell.tasks), "source": cell.source} for cell in references.solution
        ],
    }
    text = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
    described.write_text(text, encoding="utf-8")


_Key = tuple[str, str, str]  # of which group, call and name a value is
_PLACES = "places"


def _packed(arrays: dict[_Key, np.ndarray]) -> dict[str, np.ndarray]:
    """All numbers of a kind in one array, in this order, and as JSON of which key, kind and shape each value is."""
    flat: dict[str, list[np.ndarray]] = {}
    for array in arrays.values():
        flat.setdefault(array.dtype.name, []).append(array.ravel())
    places = json.dumps([[*key, array.dtype.name, array.shape] for key, array in arrays.items()])
    return {kind: np.concatenate(some) for kind, some in flat.items()} | {
        _PLACES: np.frombuffer(places.encode(), np.uint8)
    }


def _unpacked(packed: dict[str, np.ndarray]) -> Iterator[tuple[_Key, np.ndarray]]:
    begins = dict.fromkeys(packed, 0)
    for group, call, name, kind, shape in json.loads(packed[_PLACES].tobytes()):
        end = begins[kind] + math.prod(shape)
        yield (group, call, name), packed[kind][begins[kind] : end].reshape(shape)
        begins[kind] = end
