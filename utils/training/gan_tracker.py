"""What a GAN's training shows while it runs: both losses, and what the tracked codes look like by now.

As `utils.training.trackers`: one picture that is replaced in place in a notebook, a progress bar in a terminal.
"""

import math
import time
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from utils.datasets._cache import Source
from utils.training.trackers import in_notebook, next_picture


class GAN_Tracker:
    """Records the losses of both networks and pictures of the tracked codes, and shows them live.

    Args:
        n_epochs: How many epochs the training has.
        log_every: Steps between two changes of the numbers shown; where they take longer than a second, a live picture
            does not wait for them.
        show_every: Epochs between two pictures that are kept; the last epoch's is always kept.
        is_silent: Show nothing, as in a series of short runs.
        source: Where the real images come from; a stand-in is named above the live picture.

    Attributes:
        d_losses: The discriminator's loss at every step so far.
        g_losses: The generator's.
        pictures: From an epoch (counted from 1) to its samples, uint8, shape (N, 3, 32, 32).

    Raises:
        ValueError: If a number is below 1.
    """

    def __init__(
        self,
        n_epochs: int,
        log_every: int = 100,
        show_every: int = 2,
        is_silent: bool = False,
        source: Source | None = None,
    ) -> None:
        if min(n_epochs, log_every, show_every) < 1:
            raise ValueError(
                f"GAN_Tracker: n_epochs is {n_epochs}, log_every {log_every}, show_every {show_every}; "
                "each must be at least 1."
            )
        self.n_epochs, self.log_every, self.show_every = n_epochs, log_every, show_every
        self.source = source
        self.d_losses: list[float] = []
        self.g_losses: list[float] = []
        self.pictures: dict[int, Tensor] = {}
        self.epoch = 0
        self._screen = _Silence() if is_silent else _Picture() if in_notebook() else _Bar(n_epochs)
        self._pending: list[Tensor] = []

    def update(self, d_loss: Tensor | float, g_loss: Tensor | float) -> None:
        """Record one step.

        Args:
            d_loss: The discriminator's loss, a number or a tensor with one element.
            g_loss: The generator's, likewise.
        """
        self._pending.append(
            torch.stack([torch.as_tensor(loss).detach().float().reshape(()) for loss in (d_loss, g_loss)])
        )
        if (len(self.d_losses) + len(self._pending)) % self.log_every == 0 or self._screen.is_due():
            self._collect()
            self._screen.show(self)

    def end_epoch(self, samples: Tensor) -> None:
        """Record the end of an epoch.

        Args:
            samples: What the generator makes of the tracked codes, float, shape (N, 3, 32, 32), values in [0, 1].
        """
        self._collect()
        self.epoch += 1
        if self.epoch % self.show_every == 0 or self.epoch == self.n_epochs:
            self.pictures[self.epoch] = (samples.detach().float().clamp(0, 1) * 255).round().to(torch.uint8).cpu()
            self._screen.show(self, is_due=True)
        if self.epoch == self.n_epochs:
            self._screen.close()

    def describe(self) -> str:
        """Where the training stands, in one line; losses are means over the last 100 steps."""
        d_loss, g_loss = (sum(losses[-100:]) / max(1, len(losses[-100:])) for losses in (self.d_losses, self.g_losses))
        step = len(self.d_losses)
        return f"epoch {self.epoch}/{self.n_epochs}, step {step}: d_loss {d_loss:.3f}, g_loss {g_loss:.3f}"

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint: what has been recorded."""
        self._collect()
        return {
            "epoch": self.epoch,
            "d_losses": list(self.d_losses),
            "g_losses": list(self.g_losses),
            "pictures": dict(self.pictures),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From a checkpoint."""
        self.epoch = state["epoch"]
        self.d_losses, self.g_losses = list(state["d_losses"]), list(state["g_losses"])
        self.pictures = dict(state["pictures"])
        self._pending = []

    def _collect(self) -> None:
        """Fetch the losses since the last time: a GPU is waited for once in a while, not at every step."""
        if not self._pending:
            return
        rows = torch.stack(self._pending).tolist()
        self._pending = []
        self.d_losses += [row[0] for row in rows]
        self.g_losses += [row[1] for row in rows]
        if not all(math.isfinite(loss) for row in rows for loss in row):
            raise FloatingPointError(
                f"GAN_Tracker: a loss is not finite within the last {len(rows)} steps and training will not recover; "
                "look for a sigmoid before the loss with logits, and at the learning rates."
            )


class _Silence:
    def is_due(self) -> bool:
        return False

    def show(self, tracker: GAN_Tracker, is_due: bool = False) -> None: ...

    def close(self) -> None: ...


class _Bar:
    """tqdm, where someone can see it: nothing is written when stderr is a file or a pipe."""

    def __init__(self, n_epochs: int) -> None:
        self._bar = tqdm(total=n_epochs, disable=None, unit="epoch")

    def is_due(self) -> bool:
        return False

    def show(self, tracker: GAN_Tracker, is_due: bool = False) -> None:
        self._bar.set_description_str(tracker.describe(), refresh=False)
        self._bar.update(tracker.epoch - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Picture:
    """One notebook output, replaced in place; drawn when an epoch's pictures are due, else when time allows."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._due = 0.0
        self._started = time.perf_counter()

    def is_due(self) -> bool:
        return time.perf_counter() >= self._due

    def show(self, tracker: GAN_Tracker, is_due: bool = False) -> None:
        if not (is_due or self.is_due()):
            return
        from IPython.display import display

        from utils.plotting.described import Picture
        from utils.plotting.gan import draw_progress

        started = time.perf_counter()
        title = f"{tracker.describe()}, {(started - self._started) / 60:.1f} min"
        title = tracker.source.title(title) if tracker.source else title
        picture = Picture(draw_progress(tracker, title), alt=f"Losses and samples, {title}")
        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)
        now = time.perf_counter()
        self._due = next_picture(started, now)

    def close(self) -> None: ...
