"""What a watched call or constructor is seen to leave behind."""

from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from torch import nn

from grader.probe_kit.facts import FACTS
from grader.probe_kit.watching import Watcher, unwatched, watching


def facts(names: list[str], namespace: dict, call) -> list[str]:
    watcher = Watcher()
    with watching(namespace, names, watcher):
        call(namespace)
        row = watcher.take()
    return [name for name, value in zip(FACTS, row, strict=True) if value]


class Own(nn.Module):
    def __init__(self, widths: list[int], given: nn.Module | None = None) -> None:
        super().__init__()
        self.layers, self.given = nn.Linear(widths[0], widths[-1]), given

    def forward(self, x):
        return self.layers(x)


class Shared(Own):
    made: ClassVar[dict] = {}

    def __init__(self, widths: list[int]) -> None:
        super().__init__(widths)
        self.layers = self.made.setdefault(tuple(widths), self.layers)


class Turning(Own):
    def __init__(self, widths: list[int]) -> None:
        widths.reverse()
        super().__init__(widths)


class Twice:
    """Two networks that are no module together."""

    network = nn.Linear(1, 1)

    def __init__(self) -> None:
        self.one, self.other = nn.Linear(1, 1), self.network


@pytest.mark.parametrize("kind", [Shared, Twice])
def test_objects_that_share_a_layer_are_seen_though_one_is_made(kind: type) -> None:
    arguments = [[2, 3]] if kind is Shared else []
    assert facts(["Kind.forward"], {"Kind": kind}, lambda names: names["Kind"](*arguments)) == ["twins"]


def test_layers_of_ones_own_and_those_that_are_given_are_no_twins() -> None:
    given = nn.Linear(1, 1)
    assert facts(["Own.forward"], {"Own": Own}, lambda names: [names["Own"]([2, 3], given) for _ in range(2)]) == []


def test_making_another_object_changes_neither_arguments_nor_draws() -> None:
    """What a constructor does to its list twice would be undone."""
    drawn = []
    for names in ([], ["Own.forward"]):
        torch.manual_seed(0)
        facts(names, {"Own": Own}, lambda names: names["Own"]([2, 3]))
        drawn.append(torch.rand(3))
    assert torch.equal(*drawn)
    assert "argument" in facts(["Turning.__init__"], {"Turning": Turning}, lambda names: names["Turning"]([2, 3]))


def test_classes_are_as_they_were_afterwards() -> None:
    before = dict(vars(Own))
    facts(["Own.forward", "Own.__init__"], {"Own": Own}, lambda names: names["Own"]([2, 3]))
    assert dict(vars(Own)) == before


@pytest.mark.parametrize("is_on", [True, False])
def test_gradients_left_on_or_off_are_seen(is_on: bool) -> None:
    with torch.set_grad_enabled(not is_on):
        assert "gradients" in facts(["f"], {"f": lambda: torch.set_grad_enabled(is_on)}, lambda names: names["f"]())


def test_an_answer_that_lies_about_gradients_leaves_others_with_what_torch_does() -> None:
    """torch.no_grad() asks torch itself which state to go back to."""

    def quiet(x):
        with torch.no_grad():
            return x + 0.0

    was, torch.is_grad_enabled = torch.is_grad_enabled, lambda: True
    try:
        with torch.set_grad_enabled(False):
            assert facts(["f"], {"f": quiet}, lambda names: names["f"](torch.ones(2))) == []
    finally:
        torch.is_grad_enabled = was


def _changed(names, calls: int) -> None:
    """The last call of some changes its argument."""
    for n in range(calls):
        names["f"](torch.ones(2), n == calls - 1)


def _adds(x, is_last: bool):
    return x.add_(1) * 2 if is_last else x * 2


@pytest.mark.parametrize(("calls", "seen"), [(1, True), (8, True), (9, False)])
def test_the_first_calls_of_a_function_are_looked_at(calls: int, seen: bool) -> None:
    watcher, namespace = Watcher(), {"f": _adds}
    with watching(namespace, ["f"], watcher):
        _changed(namespace, calls)
    assert bool(watcher.facts["argument"]) == seen


def test_while_a_probe_asks_again_and_again_nobody_watches() -> None:
    watcher, namespace = Watcher(), {"f": _adds}
    with watching(namespace, ["f"], watcher):
        with unwatched(SimpleNamespace(watcher=watcher)):
            _changed(namespace, 1)
        assert not watcher.facts["argument"]
        _changed(namespace, 1)
        assert watcher.facts["argument"]
    with unwatched(SimpleNamespace(watcher=None)):  # where nobody does at all
        _changed({"f": _adds}, 1)


def test_weights_that_a_call_moves_are_seen_though_they_are_copied_once() -> None:
    def moves(model: Own, by: float):
        with torch.no_grad():
            model.layers.weight.add_(by)

    model, watcher, namespace = Own([2, 3]), Watcher(), {"f": moves}
    with watching(namespace, ["f"], watcher):
        namespace["f"](model, 0.0)
        assert not watcher.take().any(), "the same numbers once more are no change"
        with torch.no_grad():
            model.layers.weight.add_(1.0)  # between two calls: nobody's fault
        namespace["f"](model, 0.0)
        assert not watcher.take().any()
        namespace["f"](model, 1.0)
        assert watcher.facts["weights"]
