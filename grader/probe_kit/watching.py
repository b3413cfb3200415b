"""Watch a student's functions while a probe calls them: what a call leaves behind, beside its answer.

One row of facts for a probe, in the order of `FACTS`; 0 is what every contract asks for. Student code runs in this process
and could forge them: a fact can cost points and never earn any.
"""

import inspect

# Held fast before any answer runs: one that replaces them must not make others' calls look as if they broke a promise.
from builtins import all, any, float, id, int, isinstance, len, list, max, set, zip  # noqa: UP029
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grader.probe_kit.facts import FACTS
from grader.probe_kit.stand_ins import plain_layers

_Wrapped = Callable[..., Any]
# As they are before any answer runs: one that replaces them is not to spoil what is seen of the next.
_any, _all, _equal, _array_equal = any, all, torch.equal, np.array_equal
_is_grad_enabled = torch.is_grad_enabled


_INNER = 8  # calls of one answer by another that are looked at
_CALLS = 8  # of a function in one probe that are looked at; with six, a reused answer is refused under another name


class Watcher:
    """Notes what calls leave behind; several probes of one process may share it."""

    def __init__(self) -> None:
        self.facts: dict[str, int] = dict.fromkeys(FACTS, 0)
        self._last: list[tuple[Tensor, Tensor]] = []
        self._names: list[str] = []
        self._depth = self._inner = 0
        self.is_resting = False
        self._unasked: frozenset[str] = frozenset()
        self._made: set[type] = set()
        self._weights: dict[int, tuple[Tensor, int, Tensor]] = {}

    def begin(self, names: list[str]) -> None:
        """Answers are compared with earlier ones of the same functions alone."""
        if names != self._names:
            self._names, self._last, self._made = list(names), [], set()
        self._weights = {}

    def take(self) -> np.ndarray:
        """The facts since the last time, as a row."""
        row = np.array([self.facts[name] for name in FACTS], np.int64)
        self.facts = dict.fromkeys(FACTS, 0)
        return row

    def _note(self, name: str, value: int | bool) -> None:
        if name not in self._unasked:
            self.facts[name] = self.facts[name] or int(value)

    def wrap(self, function: _Wrapped, unasked: frozenset[str] = frozenset()) -> _Wrapped:
        """A function that is looked at when it is called, for the first times."""
        left = _CALLS

        def watched(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            torch.is_grad_enabled = _is_grad_enabled  # torch's own no_grad() asks it which state to go back to
            given = [*args, *kwargs.values()]
            if self._depth:
                return self._within_another(function, given, args, kwargs)
            if self.is_resting or left == 0:
                return function(*args, **kwargs)
            left -= 1
            before = self._before(given, "generator" not in unasked)
            self._depth, self._inner = self._depth + 1, 0
            try:
                answer = function(*args, **kwargs)
            finally:
                self._depth -= 1
            self._unasked = unasked
            if before is not None:
                with suppress(Exception):  # what cannot be looked at costs nothing
                    self._look(given, before, answer)
            return answer

        return watched

    def _within_another(self, function: _Wrapped, given: list[Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        """A call by another answer: what it gets is looked at, the rest is between the two; of a loop the first calls will do."""
        self._inner += 1
        if self._inner > _INNER:
            return function(*args, **kwargs)
        with suppress(Exception):
            copies = [_copied(value) for value in given]
        answer = function(*args, **kwargs)
        with suppress(Exception):
            self._note("argument", _changed(given, copies))
        return answer

    def wrap_init(self, function: _Wrapped) -> _Wrapped:
        """A constructor: of what it makes first another one is made, and the two have no parameter in common but those given."""

        def made(new: Any, *args: Any, **kwargs: Any) -> None:
            function(new, *args, **kwargs)
            kind = type(new)
            if kind in self._made:
                return
            self._made.add(kind)
            state = torch.default_generator.get_state()
            with suppress(Exception), plain_layers(_untouched):  # what cannot be looked at costs nothing
                twin = kind(*map(_own, args), **{name: _own(value) for name, value in kwargs.items()})
                given = _parameters([*args, *kwargs.values()])
                self.facts["twins"] = self.facts["twins"] or int(bool(_parameters([new]) & _parameters([twin]) - given))
            torch.default_generator.set_state(state)

        return made

    def _before(self, given: list[Any], asks_generator: bool) -> "_Before | None":
        with suppress(Exception):
            return _Before(given, self._kept, asks_generator)
        return None

    def _kept(self, parameter: Tensor) -> Tensor:
        """A parameter's numbers, copied once for as long as nobody writes into it."""
        known = self._weights.get(id(parameter))
        if known is None or known[0] is not parameter or known[1] != parameter._version:
            known = parameter, parameter._version, parameter.detach().clone()
            self._weights[id(parameter)] = known
        return known[2]

    def _look(self, given: list[Any], before: "_Before", answer: Any) -> None:
        self._note("earlier", _any(not _same(now, then) for now, then in self._last))
        self._note("argument", _changed(given, before.copies))
        self._note("gradients", _is_grad_enabled() != before.gradients)
        if before.generator:
            self._note("generator", _generator() != before.generator)
        if before.models is not None:
            now = before.models.again()
            self._note("modes", now.modes != before.models.modes)
            self._note("weights", now.versions != before.models.versions and _moved(now.parameters, before.weights))
            self._note("frozen", now.trainable != before.models.trainable)
        leaves = list(_leaves(answer))
        self._note("dtype", max((_kind(leaf) for leaf in leaves), default=0))
        tensors = [leaf for leaf in leaves if _is_plain(leaf)]
        places = {value.untyped_storage().data_ptr() for value in given if _is_plain(value) and value.numel()}
        self._note("shared", _any(leaf.numel() and leaf.untyped_storage().data_ptr() in places for leaf in tensors))
        small = [leaf.detach() for leaf in tensors if leaf.numel() <= 50_000]
        self._last = [(leaf, leaf.clone()) for leaf in small]


class _Before:
    """What there was before a call."""

    def __init__(self, given: list[Any], kept: Callable[[Tensor], Tensor], asks_generator: bool) -> None:
        self.gradients = _is_grad_enabled()
        self.generator = _generator() if asks_generator else b""
        self.copies = [_copied(value) for value in given]
        models = _models(given)
        self.models = _State([module for model in models for module in model.modules()]) if models else None
        self.weights = [kept(parameter) for parameter in self.models.parameters] if self.models else []


class _State:
    """Of the models among some arguments: modes, parameters, how often each was written to, and whether it may be trained."""

    def __init__(self, modules: list[nn.Module]) -> None:
        self._modules = modules
        self.modes = [module.training for module in modules]
        found = (parameter for module in modules for parameter in module._parameters.values() if parameter is not None)
        self.parameters = list({id(parameter): parameter for parameter in found}.values())
        self.versions = [parameter._version for parameter in self.parameters]
        self.trainable = [parameter.requires_grad for parameter in self.parameters]

    def again(self) -> "_State":
        """Of the same modules, as they are now."""
        return _State(self._modules)


def _generator() -> bytes:
    """The state of torch's global generator: compared as bytes, five kilobytes cost a tenth of what they do as a tensor."""
    return torch.default_generator.get_state().numpy().tobytes()


def _changed(given: list[Any], copies: list[Any]) -> int:
    """1 + the number of the first argument that is another one now; 0 if all are as they were."""
    for number, (value, copy) in enumerate(zip(given, copies, strict=True), 1):
        if isinstance(copy, Tensor):
            same = _same(value, copy)
        elif isinstance(copy, np.ndarray):
            same = _array_equal(value, copy, equal_nan=copy.dtype.kind == "f")
        else:
            same = copy is None or (len(value) == len(copy) and _all(a is b for a, b in zip(value, copy, strict=True)))
        if not same:
            return number
    return 0


def _copied(value: Any) -> Any:
    if _is_plain(value):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    return list(value) if isinstance(value, list) else None


def _is_plain(value: Any) -> bool:
    return type(value) in (Tensor, nn.Parameter) and not value.is_meta


def _same(value: Tensor, copy: Tensor) -> bool:
    if value.shape != copy.shape:
        return False
    return bool(_equal(value, copy)) or bool(_equal(value.detach().nan_to_num(), copy.nan_to_num()))


def _leaves(answer: Any) -> Iterator[Any]:
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, tuple | list):
        for one in answer:
            yield from _leaves(one)
    else:
        yield answer


def _kind(leaf: Any) -> int:
    if isinstance(leaf, Tensor):
        return int(_is_plain(leaf) and leaf.is_floating_point() and leaf.dtype != torch.float32)
    return 2 if isinstance(leaf, np.ndarray | np.generic | int | float) else 0


def _models(given: list[Any]) -> list[nn.Module]:
    """Models among the arguments, and those that an argument holds, as a class of two networks does."""
    plain = [value for value in given if not isinstance(value, Tensor | nn.Module)]
    held = [one for value in plain for one in getattr(value, "__dict__", {}).values()]
    return [value for value in (*given, *held) if isinstance(value, nn.Module) and "_modules" in value.__dict__]


def _untouched(layer: nn.Module) -> None:
    """Weights that nobody asks for stay as their memory is: the system then need not give any."""


def _own(value: Any) -> Any:
    """A list of one's own: what a constructor does to it twice may be as it was."""
    return list(value) if isinstance(value, list) else value


def _parameters(values: list[Any]) -> set[int]:
    return {id(parameter) for model in _models(values) for parameter in model.parameters()}


def _moved(now: Sequence[Tensor], weights: list[Tensor]) -> bool:
    """Whether weights are others: writing the same numbers into them once more is no change."""
    return len(now) != len(weights) or _any(not _same(one, other) for one, other in zip(now, weights, strict=True))


@contextmanager
def unwatched(names: Any) -> Iterator[None]:
    """While a probe asks the same function again and again: what a call leaves behind, others have shown, and watching takes time.

    Args:
        names: What the probe was given.
    """
    watcher = names.watcher
    if watcher is None:
        yield
        return
    watcher.is_resting = True
    try:
        yield
    finally:
        watcher.is_resting = False


@contextmanager
def watching(namespace: dict, names: list[str], watcher: Watcher) -> Iterator[None]:
    """Watch functions ("sample") and methods ("Flow.loss") of a namespace while this lasts. A second object is made of each class, to
    see that the two share nothing.

    Args:
        namespace: The notebook's, after the question's cell.
        names: What to watch; names that are not there, or are no functions, are left alone. Facts that nobody asks of a
            function stand behind its name: "Flow.sample:modes,dtype".
        watcher: Takes the notes.
    """
    watcher.begin(names)
    watcher.take()  # what a probe that raised has left is not this one's
    put_back: list[tuple[Any, str, Any]] = []
    for owner in {name.partition(":")[0].rpartition(".")[0] for name in names}:
        kind = namespace.get(owner)
        if isinstance(kind, type) and inspect.isfunction(init := kind.__dict__.get("__init__")):
            put_back.append((kind, "__init__", init))
            setattr(kind, "__init__", watcher.wrap_init(init))  # noqa: B010 - mypy takes no assignment there
    for asked in names:
        name, _, facts = asked.partition(":")
        unasked = frozenset(facts.split(","))
        owner, _, method = name.rpartition(".")
        kind = namespace.get(owner)
        if not owner and inspect.isroutine(namespace.get(name)):
            namespace[name] = watcher.wrap(namespace[name], unasked)  # a probe's namespace is put back as a whole
        elif isinstance(kind, type) and inspect.isfunction(kind.__dict__.get(method)):
            put_back.append((kind, method, kind.__dict__[method]))
            setattr(kind, method, watcher.wrap(kind.__dict__[method], unasked))
    try:
        yield
    finally:
        for kind, method, function in put_back[::-1]:
            setattr(kind, method, function)
