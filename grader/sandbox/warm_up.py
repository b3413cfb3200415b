"""What the zygote loads before it forks: once for all submissions, so that none of them waits for it."""

import sys

from utils.assignments import load_assignment
from utils.assignments.places import CourseError, place_of, shown


def warm_up(assignments: list[str]) -> None:
    """Import and run once what every submission needs; torch and its optimizers only where an assignment declares them.

    Args:
        assignments: Names whose import cells and probes are loaded. What does not load ends the process with a sentence.
    """
    loaded = [load_assignment(name) for name in assignments]
    with_torch = [assignment.about for assignment in loaded if assignment.about.uses("torch")]
    if with_torch:
        warm_up_torch()
    if any(about.optimizers for about in with_torch):
        warm_up_optimizers()

    # What is loaded when it is first asked for, which each answer's process would do: numpy's generators, a lock of tqdm's first bar.
    import multiprocessing.synchronize  # noqa: F401

    import numpy.random  # noqa: F401

    import grader.probe_kit  # noqa: F401  the folder above it will not be readable: late imports of a package need its parent
    from grader.sandbox import child

    for assignment in loaded:
        place = place_of(assignment.notebook)
        try:
            _load_probes(place)
        except CourseError as error:
            sys.exit(str(error))
        namespace = {"__name__": "__main__"}
        for source in assignment.prelude:  # a later given cell may use an earlier one's names
            try:
                exec(child.given_code(source), namespace)
            except Exception as error:
                text = (place.path / "notebook.py").read_text(encoding="utf-8") if place.has("notebook") else ""
                line = text[: text.find(source)].count("\n") + 1
                sys.exit(
                    f"{shown(place.path / 'notebook.py')}, line {line}: this cell does not run: {type(error).__name__}: {error}."
                )


def _load_probes(place) -> None:
    """Import an assignment's probes, and see that they bring nothing else of it into a process that students' code reads."""
    place.load("probes")
    folder = place.module("")
    others = {name.removeprefix(folder) for name in sys.modules if name.startswith(folder)} - {"probes"}
    if others:
        path = shown(place.path / "probes.py")
        raise CourseError(
            f"{path}, line 1: it imports {', '.join(sorted(others))} of its assignment, which students' code could then read; "
            "keep in probes.py what probes need."
        )


def warm_up_torch() -> None:
    """On one thread: OpenMP hangs after a fork once it had threads. And without oneDNN: for every shape of a convolution it compiles
    code of its own, which each answer's process would do anew, and which takes longer than networks as small as a probe's run."""
    import torch

    import grader.probe_kit.tools
    import grader.probe_kit.watching  # noqa: F401  what every process of an answer asks for

    torch.set_num_threads(1)
    torch.backends.mkldnn.set_flags(_enabled=False)
    model = _model()
    torch.nn.functional.mse_loss(model(torch.ones(2, 4)), torch.zeros(2, 4)).backward()
    torch.nn.functional.conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 3, 3))


def warm_up_optimizers() -> None:
    """For assignments that make some, see `About.optimizers`.

    The first one imports some 800 modules, torch's compiler, and takes as long as `import torch`. `Optimizer.__init__` calls
    `add_param_group`, whose decorator (`torch._compile._disable_dynamo`) imports `torch._dynamo` when it is first called: torch 2.13
    has no public switch for that. An answer that makes one unasked waits for it itself, see `not_allowed`.
    """
    import torch

    model = _model()
    for kind in (torch.optim.Adam, torch.optim.SGD):
        optimizer = kind(model.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
        torch.nn.functional.mse_loss(model(torch.ones(2, 4)), torch.zeros(2, 4)).backward()
        optimizer.step()
        scheduler.step()


def _model():
    from torch import nn

    return nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Sigmoid())
