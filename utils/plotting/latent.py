"""What a latent space holds: the images along lines and over planes in it, and where the data lies."""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.axes
import matplotlib.figure
import matplotlib.pyplot as plt
import torch
from torch import Tensor

from utils.plotting.images import draw_grid, show_images, tile

# Of Okabe and Ito those that stand out from paper, and two darker ones: a colour-blind reader tells them apart (a test simulates it).
CLASS_COLOURS = ("#0072b2", "#d55e00", "#000000", "#009e73", "#882255")
_LABEL = 0.1  # of the plane's width: what a class's label takes

Decode = Callable[[Tensor], Tensor]  # from z, shape (N, D), to images in [0, 1], shapes as for `show_images`


def plot_interpolation_grid(decode: Decode, starts: Tensor, ends: Tensor, steps: int = 12, title: str = "") -> None:
    """Decode straight lines in latent space, one a row, both ends included.

    Args:
        decode: From z, shape (N, D), to images in [0, 1].
        starts: Where each row begins, shape (R, D).
        ends: Where each row ends, shape (R, D).
        steps: Images a row.
        title: What to look at.
    """
    weights = torch.linspace(0, 1, steps, device=starts.device).view(1, steps, 1)
    z = torch.lerp(starts.unsqueeze(1), ends.unsqueeze(1), weights)  # (R, steps, D)
    with torch.no_grad():
        show_images(decode(z.flatten(0, 1)), title, columns=steps)


def plot_latent_walk(decode: Decode, start: Tensor, steps: int = 20, span: float = 3.0, title: str = "") -> None:
    """Walk along each latent dimension in turn while the others stay where they are; one row a dimension.

    Args:
        decode: From z, shape (N, D), to images in [0, 1].
        start: Where the walk crosses, shape (D,); zeros are the middle of the prior.
        steps: Images a row.
        span: Each dimension runs from -span to +span; the prior holds 99.7% of its draws within 3.
        title: What to look at.
    """
    walk = start.repeat(len(start), steps, 1)  # (D, steps, D)
    for dimension in range(len(start)):
        walk[dimension, :, dimension] = torch.linspace(-span, span, steps, device=start.device)
    with torch.no_grad():
        show_images(decode(walk.flatten(0, 1)), title, columns=steps)


def plot_manifold(decode: Decode, size: int = 20, device: torch.device | None = None, title: str = "") -> None:
    """Decode a plane of two latent dimensions, spaced so that every picture stands for the same share of the prior.

    Args:
        decode: From z, shape (N, 2), to images in [0, 1].
        size: Images along each side.
        device: Where `decode` wants its z.
        title: What to look at.
    """
    _, axis = plt.subplots(figsize=(5, 5), layout="constrained")
    _draw_plane(axis, decode, size, device, title)


def draw_manifold(
    decode: Decode, size: int = 10, device: torch.device | None = None, title: str = ""
) -> matplotlib.figure.Figure:
    """The same as a figure that does not become the current one, for a film: `plot_manifold` says what is drawn."""
    figure = matplotlib.figure.Figure(figsize=(4, 4.2), layout="constrained")
    _draw_plane(figure.subplots(), decode, size, device, title)
    return figure


def plane_codes(size: int) -> Tensor:
    """Codes in a plane, shape (size * size, 2), row by row from the top left: equal shares of the prior."""
    points = torch.special.ndtri((torch.arange(size) + 0.5) / size)  # the normal's quantiles
    return torch.cartesian_prod(points.flip(0), points).flip(1)  # z_2 falls down the rows, z_1 grows along them


def _draw_plane(axis: matplotlib.axes.Axes, decode: Decode, size: int, device: torch.device | None, title: str) -> None:
    with torch.no_grad():
        grid = tile(decode(plane_codes(size).to(device)), size)
    draw_grid(axis, grid, title, extent=(0, 1, 0, 1))
    ticks = [0.05, 0.25, 0.5, 0.75, 0.95]
    names = [f"{torch.special.ndtri(torch.tensor(tick)).item():.1f}" for tick in ticks]
    axis.set(xlabel="z_1", ylabel="z_2", xticks=ticks, xticklabels=names, yticks=ticks, yticklabels=names)


def plot_latent_scatter(z: Tensor, labels: Tensor, title: str = "", radius: float = 0.0) -> None:
    """Draw where images lie in a latent plane: each as its digit, and each class's digit large at its centre.

    Args:
        z: Latent means, shape (N, 2).
        labels: Digits, shape (N,), from 0 to 9.
        title: What to look at.
        radius: Of a circle around the origin, such as that which holds most of the prior; 0 for none.
    """
    points, digits = z.detach().cpu(), labels.cpu()
    classes = [int(digit) for digit in digits.unique()]
    _, axis = plt.subplots(figsize=(6, 5), layout="constrained")
    for digit in classes:
        own = points[digits == digit]
        colour = class_colour(digit)
        axis.scatter(
            own[:, 0], own[:, 1], s=16, marker=f"${digit}$", color=colour, linewidths=0.2, alpha=0.7, label=str(digit)
        )
    centres = torch.stack([points[digits == digit].median(dim=0).values for digit in classes])
    corners = torch.tensor([[-radius, -radius], [radius, radius]]) if radius else points[:1]
    shown = torch.cat([points, corners.to(points)])
    span = float((shown.max(dim=0).values - shown.min(dim=0).values).max())
    if radius:
        axis.add_patch(plt.Circle((0, 0), radius, fill=False, color="black", linewidth=2))
    for digit, centre, place in zip(classes, centres.tolist(), apart(centres, _LABEL * span).tolist(), strict=True):
        axis.annotate(
            str(digit), centre, place, weight="bold", ha="center", va="center",
            bbox={"fc": "white", "ec": class_colour(digit)}, arrowprops={"arrowstyle": "-", "shrinkB": 0},
        )  # fmt: skip
    axis.set(xlabel="z_1", ylabel="z_2", title=title, aspect="equal")


def class_colour(digit: int) -> str:
    """A class's colour; two that are rarely mistaken for each other share one, and are told apart by their shape."""
    return CLASS_COLOURS[digit // 2 % len(CLASS_COLOURS)]


def apart(places: Tensor, gap: float, rounds: int = 500) -> Tensor:
    """Push places apart until no two are closer than a gap, each as little as needed.

    Args:
        places: Shape (N, 2).
        gap: The least distance, in the places' unit.
        rounds: Pushes at most.

    Returns:
        Shape (N, 2).
    """
    moved = places.double().clone()
    # Places that are the same are told apart by a step on a circle, each its own.
    angles = torch.arange(len(moved)) * 2.4
    moved += 1e-3 * gap * torch.stack([angles.cos(), angles.sin()], dim=1)
    for _ in range(rounds):
        between = moved[:, None] - moved[None]  # (N, N, 2)
        far = between.norm(dim=2).fill_diagonal_(torch.inf)
        if bool((far >= gap).all()):
            break
        push = (gap * 1.02 - far).clamp(min=0) / 2
        moved += (between / far[..., None] * push[..., None]).sum(dim=1)
    return moved.to(places.dtype)
