"""What the loader, the tracker and its display cost the training of notebook 2.

    python -m tools.bench airfoil_vae

The published network, the notebook's own solution, is trained for the same number of iterations in four ways, one after
the other and several times over, on one thread. Rates are counted in CPU seconds, which others on the machine disturb
little; only ratios within a round count.
"""

import contextlib
import io
import time
from collections.abc import Callable, Iterable, Iterator
from unittest import mock

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from grader.authoring.measurement import Measurement, ratios
from grader.authoring.solution import solution_names
from utils.datasets.airfoils import AirfoilDataset
from utils.training import trackers
from utils.training.loaders import TensorLoader

from .numbers import MODEL, TRAIN

NOTEBOOK = "02_airfoil_vae"
BATCH_SIZE, BETA = TRAIN["batch_size"], TRAIN["beta"]


def measure(n_iters: int = 1000, rounds: int = 3) -> list[Measurement]:
    """Measure training rates with and without what `utils` adds.

    Args:
        n_iters: Iterations of one run.
        rounds: How often each way is run.

    Returns:
        The bare rate, and rates relative to the bare loop of the same round: with `TensorLoader`, the tracker and a
        terminal's bar; with a notebook's live curves in its place; and with torch's `DataLoader` and no tracker.
    """
    names, dataset = solution_names(NOTEBOOK), AirfoilDataset()
    profiles = torch.from_numpy(dataset.profiles)
    ours = TensorLoader(dataset, BATCH_SIZE, shuffle=True, drop_last=True)  # type: ignore[arg-type]
    theirs: DataLoader = DataLoader(dataset, BATCH_SIZE, shuffle=True, drop_last=True)  # type: ignore[arg-type]
    ways: dict[str, Callable[[int], float]] = {
        "bare": lambda n: _rate(network, _BareBatches(profiles), n, None),
        "bar": lambda n: _rate(network, ours, n, _bar),
        "picture": lambda n: _rate(network, ours, n, _picture),
        "dataloader": lambda n: _rate(network, theirs, n, None),
    }

    def network() -> nn.Module:
        return names["VAE"](**MODEL)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for run in ways.values():  # warm up: imports, allocator, fonts
            run(20)
        table = [{name: run(n_iters) for name, run in ways.items()} for _ in range(rounds)]
    finally:
        torch.set_num_threads(threads)
    bare = [row["bare"] for row in table]
    shown = {
        "bar": "with our loader, the tracker and a terminal's bar, against bare",
        "picture": "with our loader, the tracker and a notebook's live curves, against bare",
        "dataloader": "with torch's DataLoader and no tracker, against bare",
    }
    return [
        Measurement("training of notebook 2, bare", tuple(bare), "iterations a CPU s"),
        *(ratios(f"its rate {what}", [row[way] for row in table], bare) for way, what in shown.items()),
    ]


class _BareBatches:
    """What a loop on tensors does without any loader."""

    def __init__(self, profiles: Tensor) -> None:
        self.profiles = profiles

    def __iter__(self) -> Iterator[tuple[Tensor, None]]:
        order = torch.randperm(len(self.profiles))
        for start in range(0, len(order) - BATCH_SIZE + 1, BATCH_SIZE):
            yield self.profiles[order[start : start + BATCH_SIZE]], None


def _rate(network: Callable[[], nn.Module], batches: Iterable, n_iters: int, make_tracker: Callable | None) -> float:
    """Iterations a CPU second of one run, the display's last picture included."""
    torch.manual_seed(0)
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), **TRAIN["optimizer_config"])
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, **TRAIN["lr_scheduler_config"])
    done = 0
    with contextlib.ExitStack() as stack:
        tracker = make_tracker(stack, n_iters) if make_tracker else None
        started = time.process_time()
        while done < n_iters:
            for y, _ in batches:
                y_hat, mu, logvar = model(y)
                rec = nn.functional.mse_loss(y_hat, y)
                prior = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1).mean()
                total = rec + BETA * prior
                optimizer.zero_grad()
                total.backward()
                optimizer.step()
                scheduler.step()
                if tracker is not None:
                    tracker.update(rec, prior, total)
                done += 1
                if done == n_iters:
                    break
        return n_iters / (time.process_time() - started)


class _Terminal(io.StringIO):
    """A terminal that forgets what is written to it."""

    def isatty(self) -> bool:
        return True


def _bar(stack: contextlib.ExitStack, n_iters: int) -> trackers.VAE_Tracker:
    stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
    stack.enter_context(contextlib.redirect_stderr(_Terminal()))
    return trackers.VAE_Tracker(n_iters, 100)


def _picture(stack: contextlib.ExitStack, n_iters: int) -> trackers.VAE_Tracker:
    """Pictures are drawn as in a notebook; only the kernel's sending of the bytes is left out."""
    stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
    stack.enter_context(mock.patch.object(trackers, "in_notebook", return_value=True))
    stack.enter_context(mock.patch("IPython.display.display"))
    return trackers.VAE_Tracker(n_iters, 100)
