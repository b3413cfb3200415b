"""Contracts: what a task's docstring promises beside its values, as data. The engine makes the draws and checks, the same for every task.

    Contract("flow.sample", pays="flow.sample.values", watches=("sample",), is_random=True)

`Sizes` draws inputs whose sizes are all different, and again with each of them 1. The calls that a task's checks make anyway
are watched (`grader.probe_kit.watching`); what they leave behind is judged here. A breach costs the check that pays for it one
point at most, once, whatever is broken: what the check itself asks for has held.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from grader.probe_kit.facts import FACTS

Arrays = dict[str, np.ndarray]
PRICE = 1.0  # points, of the check that pays

_OTHER_DTYPE = {
    1: "the answer holds other floats than float32, the type of what it is given: .double(), .half() or a NumPy number on the way change it",
    2: "the answer is no tensor: keep to torch operations, without .item() or .numpy()",
}
_SENTENCES = {
    "earlier": "an answer that was given before is another one after the next call: return a new tensor each time, not one kept from call to call",
    "gradients": "gradients are switched off or on for everybody after the call: use `with torch.no_grad():`, which ends by itself",
    "modes": "a model is in another mode (training or evaluation) after the call than before: leave modes to the caller",
    "weights": "a model's weights are others after a call that is only to use them",
    "frozen": "a model's weights take no gradient any more after the call: leave requires_grad alone, `with torch.no_grad():` is enough",
    "twins": "two objects share a layer, and training one changes the other: make the layers in the constructor, for each object its own",
    "shared": "the answer is a piece of an argument's own memory: who changes one changes the other, return a new tensor",
}
_SLIPS = {
    "argument": "argument_changed",
    "earlier": "answer_reused",
    "dtype": "other_floats",
    "generator": "generator_touched",
}


@dataclass(frozen=True)
class Contract:
    """What holds for every call of a task's functions."""

    task: str
    pays: str  # the check whose points a breach costs
    watches: tuple[str, ...]  # functions and methods: "sample", "Flow.loss"; without some facts: "Flow.sample:modes"
    arguments: tuple[str, ...] = ()  # of the first of them, to name the one that is changed
    is_random: bool = (
        False  # it draws from torch's global generator; else that stays as it is, and so it does for "=Flow.loss"
    )
    returns: str = "tensors"  # or "numbers", or "anything"

    @property
    def watched(self) -> tuple[str, ...]:
        """What is watched, as the probes take it: where something may be drawn, the generator's state is not asked about."""
        return tuple(_asked(name, self.is_random) for name in self.watches)


def _asked(name: str, is_random: bool) -> str:
    if name.startswith("="):
        return name[1:]
    return name + (",generator" if ":" in name else ":generator") if is_random else name


@dataclass(frozen=True)
class Breach:
    """One broken promise, as the middle of a sentence."""

    text: str
    slip: str


def breach(contract: Contract, facts: tuple[int, ...]) -> Breach | None:
    """What a task's calls broke.

    Args:
        contract: The task's.
        facts: What the calls of one probe left behind, in the order of `FACTS`; empty where it did not run.
    """
    if not facts:
        return None
    if len(facts) != len(FACTS):
        return Breach("what its calls left behind cannot be read", "")
    for name, value in zip(FACTS, facts, strict=True):
        if value and (text := _said(contract, name, value)):
            return Breach(text, _SLIPS.get(name, f"{name}_changed"))
    return None


def _said(contract: Contract, name: str, value: int) -> str:
    if name == "argument":
        known = contract.arguments[value - 1 : value] or ("",)
        which = f"the argument {known[0]}" if known[0] else "an argument"
        return f"{which} has other values after the call than before: compute a new tensor, without operations in place (+=, .add_(), .exp_())"
    if name == "dtype":
        return "" if contract.returns != "tensors" else _OTHER_DTYPE.get(value, _OTHER_DTYPE[2])
    if name == "generator":
        return (
            "torch's random generator is in another state after the call: nothing here is to be drawn, and no seed set"
        )
    return _SENTENCES[name]


@dataclass(frozen=True)
class Sizes:
    """Draws inputs by their sizes, which are all different and none a number that the notebook names.

    A swapped or broadcast axis then always shows, and so does a size written down where an argument holds it.

    Args:
        make: From a generator and sizes, by name, to inputs.
        ranges: Of each size, the end excluded.
        named: Numbers of the notebook; a size is none of them.
        alone: Sizes that are also tried as 1, each by itself.
    """

    make: Callable[..., Arrays]
    ranges: Mapping[str, tuple[int, int]]
    named: frozenset[int] = frozenset()
    alone: tuple[str, ...] | None = None
    has_twin: bool = True  # two cases of one size: what is kept from call to call then shows

    def __call__(self, rng: np.random.Generator) -> Arrays:
        return self.make(rng, **self.sizes(rng))

    def sizes(self, rng: np.random.Generator) -> dict[str, int]:
        """All different, each within its range."""
        found: dict[str, int] = {}
        for name, (low, high) in sorted(self.ranges.items(), key=lambda item: item[1][1] - item[1][0]):
            free = [n for n in range(low, high) if n not in found.values() and n not in self.named]
            if not free:
                raise ValueError(f"no size is left for {name} between {low} and {high}")
            found[name] = int(rng.choice(free))
        return found

    def cases(self, rng: np.random.Generator) -> list[Arrays]:
        """The same sizes twice, with other values, then each size as 1."""
        sizes = self.sizes(rng)
        alone = tuple(self.ranges) if self.alone is None else self.alone
        of = [sizes, sizes] if self.has_twin else [sizes]
        return [self.make(rng, **one) for one in (*of, *({**self.sizes(rng), name: 1} for name in alone))]
