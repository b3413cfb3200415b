"""A film of a training: what a network draws after few steps and after many, as a small animated GIF and as a strip."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import matplotlib.figure
import torch
from PIL import Image
from torch import nn

_GROWTH = 1.25  # from one frame's step to the next one's: much changes early, little late
_COLOURS, _MAX_BYTES = 32, 1_000_000
_FRAME_MS, _LAST_MS = 180, 1500
_STRIP = 6  # frames of the still form


class Film:
    """Frames taken while a network trains.

    Args:
        path: The GIF's file.
        draw: Without arguments, to a figure (`matplotlib.figure.Figure`) of what the network makes by now. It must draw no
            random numbers: the training would be another one.
        about: What the film shows, for who cannot see it.

    Attributes:
        steps: The steps after which a frame was taken.
    """

    def __init__(self, path: str | Path, draw: Callable[[], matplotlib.figure.Figure], about: str = "") -> None:
        self.path, self._draw, self._about = Path(path), draw, about
        self.steps: list[int] = []
        self._frames: list[Image.Image] = []

    @contextmanager
    def of(self, network: nn.Module) -> Iterator[Film]:
        """Take frames while the block trains this network: the training's own code stays as it is.

        Args:
            network: What the training calls once a step, in training mode.
        """
        step = 0

        def count(*_: Any) -> None:
            nonlocal step
            if network.training and torch.is_grad_enabled():  # a step, and no look at samples
                if not self.steps or step >= self.steps[-1] * _GROWTH + 1:
                    self._take_still(network, step)
                step += 1

        handle = network.register_forward_pre_hook(count)
        try:
            yield self
        finally:
            handle.remove()
        if step and self.steps[-1] < step:
            self._take_still(network, step)

    def _take_still(self, network: nn.Module, step: int) -> None:
        """In evaluation mode, where no layer draws random numbers or keeps statistics."""
        was_training = network.training
        network.eval()
        try:
            self.take(step)
        finally:
            network.train(was_training)

    def take(self, step: int) -> None:
        """Take a frame of how things stand after so many steps."""
        png = io.BytesIO()
        with torch.no_grad():
            figure = self._draw()
        figure.text(0.99, 0.01, f"step {step:,}", ha="right", va="bottom", fontsize=9)
        figure.savefig(png, format="png", dpi=72)
        self.steps.append(step)
        self._frames.append(Image.open(png).convert("RGB"))

    def save(self) -> int:
        """Write the GIF, under a megabyte: with every second frame where all are too many. Returns its bytes.

        Raises:
            ValueError: If no frame was taken.
        """
        if not self._frames:
            raise ValueError(
                f"{self.path.name}: no frame was taken; train the network inside `with film.of(network):`."
            )
        frames = self._frames
        while len(data := _gif(frames)) > _MAX_BYTES and len(frames) > 2:
            frames = frames[-1::-2][::-1]  # the last one stays
        self.path.write_bytes(data)
        return len(data)

    def strip(self) -> bytes:
        """The still form: some of the frames side by side, as PNG."""
        last = len(self._frames) - 1
        chosen = [self._frames[at] for at in sorted({round(last * i / (_STRIP - 1)) for i in range(_STRIP)})]
        width, height = chosen[0].size
        columns = 3 if len(chosen) > 3 else len(chosen)
        strip = Image.new("RGB", (columns * width, -(-len(chosen) // columns) * height), "white")
        for index, frame in enumerate(chosen):
            strip.paste(frame, (index % columns * width, index // columns * height))
        png = io.BytesIO()
        strip.quantize(64).save(png, "PNG", optimize=True)
        return png.getvalue()

    def show(self) -> None:
        """Write the GIF and show it: moving in a notebook, as a strip in the PDF and wherever only pictures live."""
        from IPython.display import display

        size = self.save()
        gif = base64.b64encode(self.path.read_bytes()).decode()
        about = f"{self._about}, {len(self.steps)} frames from step {self.steps[0]} to {self.steps[-1]:,}"
        html = f'<img alt="{escape(about)}" src="data:image/gif;base64,{gif}">'
        png = base64.b64encode(self.strip()).decode()
        bundle = {"text/html": html, "image/png": png, "text/plain": f"{self.path.name}: {about}"}
        display(bundle, raw=True, metadata={"image/png": {"alt": f"{about}, as a strip"}})
        print(f"Wrote {self.path.name}, {size / 1000:.0f} kB.")


def _gif(frames: list[Image.Image]) -> bytes:
    """One palette for all frames, that of the last: fewer bytes, and no colours that jump."""
    palette = frames[-1].quantize(_COLOURS, dither=Image.Dither.NONE)
    reduced = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    moving = io.BytesIO()
    durations = [_FRAME_MS] * (len(frames) - 1) + [_LAST_MS]
    reduced[0].save(moving, "GIF", save_all=True, append_images=reduced[1:], duration=durations, loop=0, optimize=True)
    return moving.getvalue()
