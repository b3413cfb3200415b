"""What a training loop shows while it runs: progress, and the loss curves as far as they have got.

In a notebook (Jupyter, Colab, VS Code, nbclient) one picture is replaced in place, so that the saved notebook holds a
single output; in a terminal it is a progress bar. Drawing costs time that training does not get: a picture is drawn about
once a second, and only after four times as long as the last one took.
"""

import math
import sys
import time
from typing import Any

import torch
from tqdm import tqdm

PAUSE_SECONDS = 0.8  # between two pictures: with the drawing itself it is a second
DRAWING_SHARE = 0.2  # of the time, at most; a picture takes some 0.05 s
_TEXT_SECONDS = 0.5  # between two changes of the numbers beside a terminal's bar


class VAE_Tracker:
    """Records the loss and its two terms, and shows them live.

    Args:
        n_iters: How many iterations the training has; the last one draws the final picture.
        plot_freq: Iterations between two looks at the clock, whether a picture is due; where they take longer than a
            second, every iteration looks. 0 to show nothing, as in a sweep.

    Attributes:
        rec_losses: Reconstruction loss of each iteration so far.
        prior_losses: KL to the prior of each iteration, in nats when summed over the latent dimensions.
        total_losses: The loss that is minimised, of each iteration.

    Raises:
        ValueError: If `n_iters` is below 1 or `plot_freq` below 0.
    """

    def __init__(self, n_iters: int, plot_freq: int) -> None:
        if n_iters < 1 or plot_freq < 0:
            raise ValueError(
                f"VAE_Tracker: n_iters is {n_iters} and plot_freq {plot_freq}, expected at least 1 and at least 0."
            )
        self.n_iters = n_iters
        self.plot_freq = plot_freq
        self.rec_losses: list[float] = []
        self.prior_losses: list[float] = []
        self.total_losses: list[float] = []
        self._started = time.perf_counter()
        self._is_finite = True
        self._screen = _choose_screen(n_iters, plot_freq)

    def update(self, rec: Any, prior: Any, total: Any) -> None:
        """Record one iteration.

        Args:
            rec: Reconstruction loss, a number or a tensor with one element.
            prior: KL to the prior, likewise.
            total: The loss that is minimised, likewise.
        """
        values = _to_numbers(rec, prior, total)
        for losses, value in zip((self.rec_losses, self.prior_losses, self.total_losses), values, strict=True):
            losses.append(value)
        self._warn_once_if_not_finite()
        self._screen.show(self)
        if len(self.total_losses) == self.n_iters:
            self._screen.finish(self)

    @property
    def seconds(self) -> float:
        """Wall seconds since the tracker was made."""
        return time.perf_counter() - self._started

    def describe(self) -> str:
        """Where the training stands, in one line; losses are means over the last iterations, at most 100."""
        done = len(self.total_losses)
        rec, prior, total = (
            sum(losses[-100:]) / max(1, len(losses[-100:]))
            for losses in (self.rec_losses, self.prior_losses, self.total_losses)
        )
        return f"iteration {done}/{self.n_iters}: rec {rec:.3g}, prior {prior:.3g}, total {total:.3g}"

    def _warn_once_if_not_finite(self) -> None:
        if self._is_finite and not math.isfinite(self.total_losses[-1]):
            self._is_finite = False
            print(
                f"VAE_Tracker: the loss is {self.total_losses[-1]} at iteration {len(self.total_losses)} and will not "
                "recover; try a smaller learning rate, and look at what is exponentiated."
            )


class _Silence:
    """For a sweep of many short runs, which has its own table to print."""

    def show(self, tracker: VAE_Tracker) -> None: ...

    def finish(self, tracker: VAE_Tracker) -> None: ...


class _Bar:
    """tqdm, where someone can see it: nothing is written when stderr is a file or a pipe."""

    def __init__(self, n_iters: int) -> None:
        self._bar = tqdm(total=n_iters, disable=None, unit="it", leave=False)
        self._changed = 0.0

    def show(self, tracker: VAE_Tracker) -> None:
        self._bar.update(1)
        if not self._bar.disable and time.perf_counter() - self._changed > _TEXT_SECONDS:
            self._changed = time.perf_counter()
            self._bar.set_description_str(tracker.describe())

    def finish(self, tracker: VAE_Tracker) -> None:
        self._bar.close()
        _print_end(tracker)


class _Picture:
    """One notebook output, replaced in place."""

    def __init__(self, plot_freq: int) -> None:
        self._plot_freq = plot_freq
        self._handle: Any = None
        self._due = time.perf_counter() + PAUSE_SECONDS

    def show(self, tracker: VAE_Tracker) -> None:
        now = time.perf_counter()
        is_asked = len(tracker.total_losses) % self._plot_freq == 0 or now >= self._due + 1 - PAUSE_SECONDS
        if is_asked and now >= self._due:
            self._draw(tracker)

    def finish(self, tracker: VAE_Tracker) -> None:
        self._draw(tracker)
        _print_end(tracker)

    def _draw(self, tracker: VAE_Tracker) -> None:
        from IPython.display import display

        from utils.plotting.described import Picture
        from utils.plotting.losses import draw_losses

        started = time.perf_counter()
        title = tracker.describe()
        png = draw_losses(tracker.rec_losses, tracker.prior_losses, tracker.total_losses, tracker.n_iters, title)
        picture = Picture(png, alt=f"Loss curves, {title}")
        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)
        now = time.perf_counter()
        self._due = next_picture(started, now)


def next_picture(started: float, ended: float) -> float:
    """When the next live picture is due, after one whose drawing began and ended at these seconds."""
    return ended + max(PAUSE_SECONDS, (ended - started) * (1 / DRAWING_SHARE - 1))


def _print_end(tracker: VAE_Tracker) -> None:
    print(f"{tracker.describe()}, {tracker.seconds:.1f} s")


def _choose_screen(n_iters: int, plot_freq: int) -> _Silence | _Bar | _Picture:
    if plot_freq == 0:
        return _Silence()
    return _Picture(plot_freq) if in_notebook() else _Bar(n_iters)


def in_notebook() -> bool:
    """A kernel shows pictures; IPython in a terminal, or none at all, does not."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


def _to_numbers(*values: Any) -> list[float]:
    tensors = [value.detach().reshape(()) for value in values if isinstance(value, torch.Tensor)]
    if len(tensors) == len(values):
        return torch.stack(tensors).tolist()  # a GPU is waited for once, not three times
    return [value.item() if isinstance(value, torch.Tensor) else float(value) for value in values]
