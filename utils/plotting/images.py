"""Rows and grids of images."""

from __future__ import annotations

import math
from typing import Any

import matplotlib.axes
import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from utils.datasets._torchvision import import_torchvision
from utils.datasets.mnist import MNISTDataset

_PIXELS_PER_INCH = 40  # of an image of 28 pixels: 0.7 inch


def show_images(images: Tensor, title: str = "", columns: int | None = None) -> None:
    """Draw images in a grid that is about square.

    Args:
        images: Values in [0, 1]; shape (N, H*W) for square images, (N, H, W), (N, 1, H, W) or (N, 3, H, W).
        title: What to look at.
        columns: Images a row; the square root of N when None.

    Raises:
        ValueError: If the shape is none of these.
    """
    grid = tile(images, columns or math.ceil(math.sqrt(len(images))))
    height, width = grid.shape[:2]
    figure = plt.figure(figsize=(width / _PIXELS_PER_INCH, height / _PIXELS_PER_INCH + 0.35 * bool(title)))
    axis = figure.add_subplot()
    draw_grid(axis, grid)
    axis.set_title(title, fontsize=max(10, width / _PIXELS_PER_INCH))  # a wide figure is shown smaller
    figure.tight_layout()


plot_images = show_images  # the name one of the source courses uses


def plot_rows(rows: dict[str, Tensor], title: str = "") -> None:
    """Draw rows of images below each other, each with its name at the left.

    Args:
        rows: From a row's name to its images, shapes as for `show_images`, all rows of one length.
        title: What to look at.
    """
    count = max(len(images) for images in rows.values())
    figure, axes = plt.subplots(len(rows), 1, figsize=(1.3 + 0.7 * count, 0.75 * len(rows) + 0.4), squeeze=False)
    for axis, (name, images) in zip(axes[:, 0], rows.items(), strict=True):
        draw_grid(axis, tile(images, count))
        axis.axis("on")
        axis.set(xticks=[], yticks=[])
        axis.set_ylabel(name, rotation=0, ha="right", va="center")
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()


def plot_reconstruction_grid(originals: Tensor, reconstructions: Tensor, per_row: int = 25, title: str = "") -> None:
    """Draw each row of originals directly above the row of their reconstructions.

    Args:
        originals: Values in [0, 1], shapes as for `show_images`.
        reconstructions: As many.
        per_row: Images a row.
        title: What to look at.

    Raises:
        ValueError: If the numbers of images differ.
    """
    if len(originals) != len(reconstructions):
        raise ValueError(
            f"plot_reconstruction_grid: {len(originals)} originals and {len(reconstructions)} reconstructions; "
            "give one reconstruction for each original."
        )
    columns = min(per_row, len(originals))
    above, below = as_pictures(originals), as_pictures(reconstructions)
    rows = [part for pair in zip(above.split(columns), below.split(columns), strict=True) for part in pair]
    show_images(torch.cat([_fill_row(row, columns) for row in rows]), title, columns)


def vis_reconstruction(
    model: nn.Module, data: MNISTDataset, count: int = 10, randomize: bool = False, ours: str = ""
) -> None:
    """Draw digits of every class above what `model.reconstruct` makes of them.

    Args:
        model: Has `reconstruct(x)`, x of shape (N, 1, 784), as the notebook's models have; its mode is left as it was.
        data: Where the digits come from.
        count: How many.
        randomize: Draw other digits at each call.
        ours: What `whose` says of the model.
    """
    picks = torch.randperm(len(data))[:count] if randomize else torch.arange(count)
    originals, _ = data[picks.to(data.images.device)]
    was_training = model.training
    model.eval()
    with torch.no_grad():
        reconstructions = model.reconstruct(originals.flatten(2))  # type: ignore[operator]
    model.train(was_training)
    title = data.source.title(f"Above: original. Below: reconstruction{ours or '.'}")
    plot_reconstruction_grid(originals, reconstructions, per_row=count, title=title)


def vis_samples(
    samples: Tensor, data: MNISTDataset, title: str = "Samples: decoded draws from N(0, I)", ours: str = ""
) -> None:
    """Draw generated digits, named by the data the model was trained on.

    Args:
        samples: Values in [0, 1], shapes as for `show_images`.
        data: What the model was trained on.
        title: What to look at.
        ours: What `whose` says of the model.
    """
    show_images(samples, data.source.title(title, ours), columns=10)


def get_image_with_label(data: MNISTDataset, label: int, index: int = 0) -> Tensor:
    """One digit of a class, always the same one.

    Args:
        data: Where to look.
        label: The class, 0 to 9.
        index: Which one of the class, from 0 in the order of the data.

    Returns:
        Image, float32, shape (1, 28, 28), values in [0, 1].

    Raises:
        ValueError: If the class has no such image.
    """
    return data.of_class(label, index + 1)[index]


def _fill_row(row: Tensor, columns: int) -> Tensor:
    """Add empty pictures, so that the row below begins at its left edge."""
    return torch.cat([row, row.new_zeros(columns - len(row), *row.shape[1:])])


def as_pictures(images: Tensor) -> Tensor:
    """Bring images to one shape.

    Args:
        images: Shape (N, H*W) or (N, 1, H*W) for square images, (N, H, W), (N, 1, H, W) or (N, 3, H, W).

    Returns:
        Shape (N, C, H, W), on the CPU, without gradient, clamped to [0, 1].

    Raises:
        ValueError: If the shape is none of these.
    """
    images = images.detach().float().cpu()
    side = math.isqrt(images.shape[-1])
    is_flat = images.ndim == 2 or (images.ndim == 3 and images.shape[1] == 1)
    if is_flat and side * side == images.shape[-1]:
        images = images.reshape(len(images), 1, side, side)
    elif images.ndim == 3:
        images = images.unsqueeze(1)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(
            f"images have shape {tuple(images.shape)}, expected (N, H*W), (N, H, W), (N, 1, H, W) or (N, 3, H, W); "
            "a single image needs a first dimension: image[None]."
        )
    return images.clamp(0, 1)


def tile(images: Tensor, columns: int) -> Tensor:
    """Put images side by side in rows, one empty pixel between them.

    Args:
        images: Shapes as for `as_pictures`.
        columns: Images a row.

    Returns:
        One picture, shape (rows*(H+1)-1, columns*(W+1)-1, C); places left over are 0.
    """
    pictures = as_pictures(images)
    rows = math.ceil(len(pictures) / columns)
    _, channels, height, width = pictures.shape
    grid = torch.zeros(channels, rows * (height + 1), columns * (width + 1))
    for i, picture in enumerate(pictures):
        top, left = (i // columns) * (height + 1), (i % columns) * (width + 1)
        grid[:, top : top + height, left : left + width] = picture
    return grid[:, :-1, :-1].permute(1, 2, 0)


def draw_grid(
    axis: matplotlib.axes.Axes, grid: Tensor, title: str = "", extent: tuple[float, float, float, float] | None = None
) -> None:
    """Draw a picture from `tile` into an axis: dark ink on paper for one channel, colours for three."""
    axis.imshow(grid.squeeze(-1).numpy(), cmap="gray_r", vmin=0, vmax=1, extent=extent, interpolation="nearest")
    axis.set_title(title, fontsize=10)
    if extent is None:
        axis.axis("off")


def make_grid(*images: Any, **settings: Any) -> Tensor:
    """Many images in one, by `torchvision.utils.make_grid`: the same arguments, the same grid.

    Returns:
        The grid, float, shape (3, H, W).
    """
    return import_torchvision().utils.make_grid(*images, **settings)
