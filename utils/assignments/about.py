"""What an assignment declares in its `about.toml`: the needs that the engine meets without knowing the notebook."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Data:
    """A data set that the notebook reads."""

    title: str
    files: tuple[str, ...]  # relative to the data folder; one of them means that the set is there
    mend: str  # what to do when none is
    bundled: bool = (
        False  # part of the course's own data folder: it travels with every bundle, and the sandbox shows it
    )


@dataclass(frozen=True)
class HandIn:
    """Files that are handed in beside the notebook, as the answer to one question."""

    files: tuple[str, ...]
    question: str
    check: str  # module with `find_problems(folder)`; students get it, it runs before they hand in


@dataclass(frozen=True)
class Quality:
    """A part that is graded by training the student's model again."""

    module: str  # has PART, TASK, inputs, score_values and picture; imported when needed
    cpu_seconds: float


@dataclass(frozen=True)
class Model:
    """A trained model that is handed in."""

    tasks: tuple[str, ...]  # the answers that it is made and trained with: where one changes, its weights are stale
    parameters: int = 0  # how many numbers it holds; 0 where a configuration decides


@dataclass(frozen=True)
class Weights:
    """Trained weights, handed in beside the notebook, and what measures them."""

    file: str
    module: str  # see `grader.authoring.trained`; imported when needed
    models: dict[str, Model] = field(hash=False)  # by the names that the notebook gives them


@dataclass(frozen=True)
class About:
    """All of `about.toml`."""

    number: int  # first in the notebook's name
    packages: tuple[
        str, ...
    ]  # imported by the notebook or its checks, beside those of the grader; pinned in requirements.txt
    optimizers: bool = True  # whether answers or probes make torch's; else the sandbox spares what the first one loads
    data: Data | None = None
    hand_in: HandIn | None = None
    quality: Quality | None = None
    weights: Weights | None = None

    @property
    def files_beside(self) -> tuple[str, ...]:
        """Names of the files that are handed in beside the notebook."""
        return (*(self.hand_in.files if self.hand_in else ()), *([self.weights.file] if self.weights else ()))

    def uses(self, package: str) -> bool:
        """Whether a package is declared."""
        return package in self.packages


_PARTS: dict[str, type] = {"data": Data, "hand_in": HandIn, "quality": Quality, "weights": Weights}


def find_fault(declared: dict[str, Any]) -> tuple[str, str] | None:
    """What is wrong with the content of `about.toml`: the key it is about ("" for one that lacks), and a sentence."""
    weights = declared.get("weights")
    models = weights.get("models") if isinstance(weights, dict) else None
    named = (
        [(f"weights.models.{name}", Model, values) for name, values in models.items()]
        if isinstance(models, dict)
        else []
    )
    parts = [(table, record, declared.get(table)) for table, record in _PARTS.items()]
    for table, record, values in (("", About, declared), *parts, *named):
        if values is None:
            continue
        where = f"[{table}]: " if table else ""
        if not isinstance(values, dict):
            return table, f"{table} is a table; write `[{table}]` and its keys below it"
        known = {one.name: one for one in fields(record)}
        for key, value in values.items():
            if key not in known:
                return key, f"{where}{key} is not known; there is {', '.join(known)}"
            kind, words = _KINDS[str(known[key].type)] if key not in _PARTS else (dict, "a table")
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                return key, f"{where}{key} is {value!r}; give {words}"
            if kind is list and not all(isinstance(word, str) for word in value):
                return key, f"{where}{key} is {value!r}; give {words}"
        for key, one in known.items():
            if one.default is MISSING and key not in values:
                kind, words = _KINDS[str(one.type)]
                return table, f"{where}{key} is missing; write `{key} = ` and {words}"
    return None


_KINDS: dict[str, tuple[Any, str]] = {
    "int": (int, "a whole number"),
    "str": (str, "a text"),
    "bool": (bool, "true or false"),
    "float": ((int, float), "a number"),
    "tuple[str, ...]": (list, "a list of texts"),
    "dict[str, Model]": (dict, "a table of models"),
}


def parse_about(declared: dict[str, Any]) -> About:
    """Turn the content of `about.toml` into records.

    Raises:
        ValueError: If a key is missing or unknown.
    """
    fields = {key: _record(key, value) if key in _PARTS else _plain(value) for key, value in declared.items()}
    try:
        return About(**fields)
    except TypeError as error:
        raise ValueError(f"about.toml: {_said(error)}") from None


def _record(name: str, fields: dict[str, Any]) -> Any:
    if name == "weights" and isinstance(fields.get("models"), dict):
        models = {key: Model(tuple(one["tasks"]), one.get("parameters", 0)) for key, one in fields["models"].items()}
        fields = {**fields, "models": models}
    try:
        return _PARTS[name](**{key: _plain(value) for key, value in fields.items()})
    except TypeError as error:
        raise ValueError(f"about.toml, [{name}]: {_said(error)}") from None


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _said(error: TypeError) -> str:
    return (
        str(error).partition("__init__() ")[2].replace("keyword argument", "key").replace("positional argument", "key")
    )
