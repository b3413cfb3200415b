"""No two calls round alike: what IEEE 754 leaves open comes out a little different each time.

A product or a sum of two numbers is the same everywhere. In which order a long sum is added up, and the last bit of an
exponential, is each processor's own affair. Here a bit is drawn for it. What stands near a kink, cancels, or is compared
too closely shows, whichever processor would have shown it.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from grader.sandbox import child
from tests.machines.zygotes import begin

_EPS = torch.finfo(torch.float32).eps
# Where many terms are added up, and their derivatives (`NAME_backward`): terms cancel, and what is left bears their error.
_SUMS = {
    "addmm", "mm", "bmm", "baddbmm", "addmv", "mv", "dot", "convolution", "native_batch_norm", "sum", "mean", "var", "std",
    "var_mean", "cumsum", "linalg_vector_norm", "linalg_eigh", "softmax", "log_softmax", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "mse_loss", "l1_loss",
}  # fmt: skip
# Of numbers one by one: functions that no standard rounds, and what some processors fuse.
_FUNCTIONS = {
    "exp", "expm1", "log", "log1p", "sigmoid", "tanh", "cosh", "sinh", "erf", "softplus", "pow", "rsqrt", "log_sigmoid",
    "smooth_l1_loss", "huber_loss", "addcmul", "addcdiv", "lerp", "randn", "normal", "normal_functional", "randn_like",
}  # fmt: skip
_OF_ROWS = {"sum", "mean"}
_BOUNDED = {"sigmoid", "tanh"}


class RandomRounding(TorchDispatchMode):
    """Changes each result by up to one unit in the last place of it, and sums by one of their terms' usual size."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._draws = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__.strip("_").removesuffix("_backward")
        if name in _SUMS | _FUNCTIONS:
            for part in result if isinstance(result, tuple | list) else [result]:
                self._round(part, name, _usual(func, name, args, kwargs or {}, part))
        return result

    def _round(self, value, name: str, usual) -> None:
        if not isinstance(value, torch.Tensor) or value.dtype != torch.float32 or value.is_meta or not value.numel():
            return
        drawn = torch.rand(value.shape, generator=self._draws).mul_(2).sub_(1)
        drawn.mul_(value != 0)  # a sum of zeros is 0 everywhere
        value.add_((_EPS * (value.abs() + usual) * drawn).nan_to_num_(0, 0, 0))
        if name in _BOUNDED:
            value.clamp_(-1, 1)


def _usual(func, name: str, args: tuple, kwargs: dict, value):
    """The usual size of what was added up: of each sum its own terms', for a large row is no neighbour's error; 0 where nothing was."""
    if name not in _SUMS or not isinstance(value, torch.Tensor):
        return 0.0
    if name in _OF_ROWS:
        return func(args[0].pow(2), *args[1:], **kwargs).sqrt()
    return value.pow(2).mean().sqrt()


_probe = child._Run._probe


def _probe_rounding(run, step: dict) -> None:
    with RandomRounding():
        _probe(run, step)


if __name__ == "__main__":
    child._Run._probe = _probe_rounding
    begin()
