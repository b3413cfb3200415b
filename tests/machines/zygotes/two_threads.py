"""A child has two threads. The zygote itself keeps to one: OpenMP hangs after a fork once it had more."""

import torch

from grader.sandbox import child
from tests.machines.zygotes import begin

_serve = child.serve


def _serve_on_two(confined) -> None:
    torch.set_num_threads(2)
    _serve(confined)


if __name__ == "__main__":
    child.serve = _serve_on_two
    begin()
