"""Coloured 32x32 scenes drawn by code: what takes CIFAR-10's place when it cannot be had.

Ten classes, one object each before a sky and a ground, with random place, size and colours. Every shape is a signed
distance (positive inside, in pixels) turned into a mask with soft edges, so a whole class is drawn in a few tensor
operations.
"""

import torch
from torch import Tensor

SIZE = 32
CLASSES = ("sun", "rainbow", "tower", "house", "tree", "mountain", "boat", "balloon", "fish", "car")
_NOISE = 0.02  # standard deviation of the grain, in units of the range 0..1
_Y, _X = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")


def draw_scenes(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw a fixed set of scenes.

    Args:
        count: How many images, at least 1. The classes take turns, then all is shuffled.
        seed: Another seed gives other scenes; the same seed and count always the same ones.

    Returns:
        Images, uint8, shape (count, 3, 32, 32), and labels, int64, shape (count,), indices into `CLASSES`.

    Raises:
        ValueError: If `count` is less than 1.
    """
    if count < 1:
        raise ValueError(f"draw_scenes: count is {count}, expected at least 1.")
    random = torch.Generator().manual_seed(seed)
    images = torch.empty(count, 3, SIZE, SIZE, dtype=torch.uint8)
    labels = torch.arange(count) % len(CLASSES)
    for label, name in enumerate(CLASSES):
        rows = torch.nonzero(labels == label).flatten()
        if len(rows):
            images[rows] = _Canvas(len(rows), random).paint(name)
    order = torch.randperm(count, generator=random)
    return images[order], labels[order]


class _Canvas:
    """A stack of pictures that are painted together; every number below is one value per picture."""

    def __init__(self, count: int, random: torch.Generator):
        self.count, self.random = count, random
        self.horizon = self.uniform(17, 25)
        self.x, self.size = self.uniform(10, 22), self.uniform(0.75, 1.25)
        self.colour, self.accent = self.uniform(0, 1, 3), self.uniform(0, 1, 3)
        top, bottom = self.uniform(0.2, 1.0, 3), self.uniform(0.5, 1.0, 3)
        self.picture = top + (bottom - top) * (_Y / SIZE)  # (N, 3, 32, 32)
        self.fill(_Y - self.horizon, self.uniform(0.0, 0.6, 3))

    def paint(self, name: str) -> Tensor:
        """Draw the object of one class; returns uint8, shape (N, 3, 32, 32)."""
        getattr(self, f"_{name}")()
        grain = torch.randn(self.picture.shape, generator=self.random) * _NOISE
        return ((self.picture + grain).clamp(0, 1) * 255).round().to(torch.uint8)

    def uniform(self, low: float, high: float, channels: int = 1) -> Tensor:
        """Random numbers of shape (N, channels, 1, 1)."""
        return low + (high - low) * torch.rand(self.count, channels, 1, 1, generator=self.random)

    def fill(self, inside: Tensor, colour: Tensor) -> None:
        """Paint where the signed distance `inside` is positive."""
        mask = torch.sigmoid(3.0 * inside)
        self.picture = self.picture * (1 - mask) + colour * mask

    def _sun(self) -> None:
        self.fill(_disc(self.x, self.horizon - 3, 6 * self.size), self.uniform(0.7, 1.0, 3))
        self.fill(_Y - self.horizon, 0.6 * self.accent)

    def _rainbow(self) -> None:
        for band in range(3):
            self.fill(_disc(self.x, self.horizon, (11 - 2 * band) * self.size), self.uniform(0, 1, 3))
        self.fill(_disc(self.x, self.horizon, 5 * self.size), self.accent)
        self.fill(_Y - self.horizon, 0.5 * self.colour)

    def _tower(self) -> None:
        height = 7.5 * self.size
        self.fill(_box(self.x, self.horizon + 2 - height, 2.5 * self.size, height), self.colour)
        self.fill(_box(self.x, self.horizon + 2 - 2 * height, 3.5 * self.size, 1.5), self.accent)

    def _house(self) -> None:
        wall = 5 * self.size
        self.fill(_box(self.x, self.horizon, wall, 0.7 * wall), self.colour)
        self.fill(_triangle(self.x, self.horizon - 0.7 * wall, 1.3 * wall, wall), self.accent)
        self.fill(_box(self.x, self.horizon + 0.3 * wall, 0.25 * wall, 0.4 * wall), 0.3 * self.accent)

    def _tree(self) -> None:
        crown = 5.5 * self.size
        self.fill(_box(self.x, self.horizon, 0.25 * crown, crown), 0.4 * self.colour)
        self.fill(_disc(self.x, self.horizon - crown, crown), self.accent)

    def _mountain(self) -> None:
        height = 14 * self.size
        self.fill(_triangle(self.x, self.horizon + 1, height, height), self.colour)
        self.fill(
            _triangle(self.x, self.horizon + 1 - 0.65 * height, 0.35 * height, 0.35 * height), self.uniform(0.8, 1, 3)
        )

    def _boat(self) -> None:
        hull = 7 * self.size
        self.fill(_hull(self.x, self.horizon, hull), self.colour)
        self.fill(_triangle(self.x, self.horizon - 0.5, 0.7 * hull, 1.6 * hull), self.accent)

    def _balloon(self) -> None:
        radius = 6 * self.size
        self.fill(_disc(self.x, 11, radius), self.colour)
        self.fill(_box(self.x, 11, 0.3 * radius, 0.95 * radius), self.accent)
        self.fill(_box(self.x, 13 + 1.2 * radius, 0.3 * radius, 1.5), 0.3 * self.accent)

    def _fish(self) -> None:
        length = 7 * self.size
        self.fill(_ellipse(self.x, self.horizon, length, 0.55 * length), self.colour)
        self.fill(_box(self.x + 1.15 * length, self.horizon, 0.25 * length, 0.45 * length), self.accent)
        self.fill(_disc(self.x - 0.5 * length, self.horizon - 1, 1.2), self.uniform(0.8, 1, 3))

    def _car(self) -> None:
        length = 8 * self.size
        self.fill(_box(self.x, self.horizon, length, 0.3 * length), self.colour)
        self.fill(_box(self.x, self.horizon - 0.5 * length, 0.55 * length, 0.3 * length), self.accent)
        for side in (-0.55, 0.55):
            self.fill(_disc(self.x + side * length, self.horizon + 0.35 * length, 0.25 * length), torch.zeros(1))


def _disc(x: Tensor, y: Tensor | float, radius: Tensor | float) -> Tensor:
    return radius - torch.hypot(_X - x, _Y - y)


def _ellipse(x: Tensor, y: Tensor, half_width: Tensor, half_height: Tensor) -> Tensor:
    return (1 - torch.hypot((_X - x) / half_width, (_Y - y) / half_height)) * half_height


def _box(x: Tensor, y: Tensor | float, half_width: Tensor, half_height: Tensor | float) -> Tensor:
    return torch.minimum(half_width - (_X - x).abs(), half_height - (_Y - y).abs())


def _triangle(x: Tensor, base: Tensor, half_width: Tensor, height: Tensor) -> Tensor:
    """Tip up, standing on `base`."""
    up = base - _Y
    return torch.minimum(up, half_width * (1 - up / height) - (_X - x).abs())


def _hull(x: Tensor, deck: Tensor, half_width: Tensor) -> Tensor:
    """Narrower towards its keel, which lies four pixels below the deck."""
    down = _Y - deck
    return torch.minimum(torch.minimum(down, 4 - down), half_width - 0.6 * down - (_X - x).abs())
