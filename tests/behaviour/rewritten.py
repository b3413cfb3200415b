"""Right answers made by rule: what changes nothing that a task asks for must cost nothing.

The counterpart of the mutants: wrappers that know nothing of the task and leave its behaviour as it is promised. Results come
as copies, by other strides, through float64; arguments as copies and by other strides; the same noise is drawn with another
function, in two parts, in another order, after a draw that is thrown away, with a generator of its own; gradients are switched
on where they are on, a model is in the mode it is in; an optimizer's step makes its gradients itself.
"""

import ast
import re
from collections.abc import Iterator

from tests.behaviour import library
from tests.behaviour.mutants import Target, targets_of

# ruff: noqa: E501
REWRITES = '''

def _other_strides(value):
    return torch.stack([value, value], -1)[..., 0]


def _copied_arguments(change):
    def wrap(function):
        def answer(*args, **kwargs):
            args = [change(one) if _is_float(one) else one for one in args]
            return function(*args, **{key: change(one) if _is_float(one) else one for key, one in kwargs.items()})
        return answer
    return wrap


def _results(change):
    def wrap(function):
        def answer(*args, **kwargs):
            return _mapped(function(*args, **kwargs), change)
        return answer
    return wrap


def _with_grad_as_it_is(function):
    def answer(*args, **kwargs):
        with torch.set_grad_enabled(torch.is_grad_enabled()):
            return function(*args, **kwargs)
    return answer


def _warming_up(function):
    """Other things happen before: a tensor is made, a layer, a bit of arithmetic; nothing is drawn from torch's generator."""
    def answer(*args, **kwargs):
        nn.Identity()(torch.arange(6.0).reshape(2, 3).T.contiguous()).exp().sum()
        return function(*args, **kwargs)
    return answer


def _drawing(draw):
    """Run a function while N(0, I) is drawn otherwise."""
    def wrap(function):
        def answer(*args, **kwargs):
            old = torch.randn, torch.randn_like
            make, alike = old

            def made(*a, **k):
                shape = a[0] if len(a) == 1 and not isinstance(a[0], int) else a
                shape = tuple(k.pop("size", shape))
                if "meta" in str(k.get("device")) or k.get("generator") is not None or not shape:
                    return make(shape, **k)
                return draw(make, shape).to(k.get("device")).requires_grad_(k.get("requires_grad", False))

            torch.randn = made
            torch.randn_like = lambda v, **k: made(tuple(v.shape), device=v.device, **k)
            try:
                return function(*args, **kwargs)
            finally:
                torch.randn, torch.randn_like = old
        return answer
    return wrap


def _own_generator(make, shape):
    own = torch.Generator().manual_seed(int(torch.randint(0, 2**31, ()).item()))
    return make(shape, generator=own)


def _box_muller(make, shape):
    u, v = torch.rand(shape).clamp_min(1e-38), torch.rand(shape)
    return (-2 * u.log()).sqrt() * (2 * math.pi * v).cos()


_DRAWS = {
    "torch.normal": lambda make, shape: torch.normal(torch.zeros(shape), torch.ones(shape)),
    "normal_ in place": lambda make, shape: torch.empty(shape).normal_(),
    "one after another": lambda make, shape: torch.stack([make(shape[1:]) if shape[1:] else make(1)[0] for _ in range(shape[0])]) if 0 < shape[0] < 3000 else make(shape),
    "in two parts": lambda make, shape: torch.cat([make((shape[0] // 2, *shape[1:])), make((shape[0] - shape[0] // 2, *shape[1:]))]),
    "the last axis first": lambda make, shape: make(shape[::-1]).permute(*range(len(shape))[::-1]),
    "after one that is thrown away": lambda make, shape: (make(3), make(shape))[1],
    "in float64": lambda make, shape: make(shape, dtype=torch.float64).float(),
    "with a generator of its own": _own_generator,
    "by Box and Muller": _box_muller,
    "as minus itself": lambda make, shape: -make(shape),
}
'''

_WRAPPERS = {
    "results copied": "_results(torch.clone)",
    "results by other strides": "_results(_other_strides)",
    "results through float64": "_results(lambda v: v.double().float())",
    "arguments copied": "_copied_arguments(torch.clone)",
    "arguments by other strides": "_copied_arguments(_other_strides)",
    "gradients as they are": "_with_grad_as_it_is",
    "something else before": "_warming_up",
}
_DRAWS = re.compile(r"randn")
_STEP = re.compile(r"^( *)(\S+)\.zero_grad\(\)\n\1(.+)\.backward\(\)\n\1\2\.step\(\)$", re.MULTILINE)
_STEP_BY_CLOSURE = r"""\1def closure():
\1    \2.zero_grad()
\1    \3.backward()
\1    return \3
\1\2.step(closure)"""


def rewritten(task: str, cell: str) -> Iterator[tuple[str, str]]:
    """What is done to a right answer, in words, and the cell."""
    tree = ast.parse(cell)
    for target in targets_of(tree):
        for what, wrapper in _WRAPPERS.items():
            yield f"{target.name}: {what}", _cell(cell, target, wrapper)
        if _DRAWS.search(cell):
            for name in _draws():
                yield f"{target.name}: noise drawn {name}", _cell(cell, target, f"_drawing(_DRAWS[{name!r}])")
    if (by_closure := _STEP.sub(_STEP_BY_CLOSURE, cell)) != cell:
        yield "the loss made anew by a closure that step() calls", by_closure


def _cell(cell: str, target: Target, wrapper: str) -> str:
    return f"{cell}\n{library.LIBRARY}{REWRITES}\n{target.name} = ({wrapper})({target.name})\n"


def _draws() -> list[str]:
    tree = ast.parse(REWRITES)
    node = next(n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "_DRAWS")
    assert isinstance(node, ast.Dict)
    return [key.value for key in node.keys if isinstance(key, ast.Constant)]
