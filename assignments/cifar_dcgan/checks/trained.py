"""What notebook 4's trained networks come to, from their weights: told beside the reconstruction's points, worth none, as in the source.

The networks are the notebook's own, so the grader makes them itself. Its held-out images are scenes drawn by code, other ones for each course:
a generator that was trained on photographs reconstructs them as well as photographs, and no data set has to lie on the machine that grades.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from grader.authoring.check import Arrays
from grader.authoring.trained import Score, State
from utils.datasets.cifar import images_0_1
from utils.datasets.scenes import draw_scenes

CALLS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {}
)  # no class of a student's: generator and discriminator are given
PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType({})
TOLD = {"gan.reconstruct.images": ("generator",)}

CODE, N_IMAGES, N_SAMPLES = 64, 64, 200
STEPS, RATE = 60, 0.1  # fewer and larger than the notebook's 500 of 0.01: a second of CPU time, and nearly as near
NEAR = 0.5  # a trained generator comes at least so much nearer than one colour for each image does
COLLAPSED = 0.5  # diversity, relative to the scenes', below which the samples are alike


def trial(model: str, files: Mapping[str, bytes] | None = None) -> Arrays:
    """Nothing is asked of a student's process."""
    return {}


def disagreement(model: str, state: State, said: Arrays) -> str:
    """Why weights are none of the notebook's network; empty where they are. What norms need is looked for where it is used."""
    if model != "generator":
        return ""
    try:
        generator_of(state)
    except RuntimeError:
        return "the generator has other layers than the notebook's"
    return ""


def score(part: str, states: dict[str, State], secret: bytes) -> Score:
    """What is told.

    Args:
        part: A key of `TOLD`.
        states: The weights that were found to be sound, by model.
        secret: Of the course.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more of them on a busy machine wait for each other, and the clock counts it
    try:
        return _told(states, secret)
    finally:
        torch.set_num_threads(threads)


def _told(states: dict[str, State], secret: bytes) -> Score:
    generator = generator_of(states["generator"])
    images = scenes(secret)
    loss, grey, colours = search(generator, images), spread(images), spread(images, each=True)
    text = (
        f"measured from your weights: {N_IMAGES} images that nobody trained on are reconstructed to {loss:.4f} by a short search. One grey for all "
        f"comes to {grey:.3f}, one colour for each to {colours:.3f}: {how_near(loss / colours)}"
    )
    varied = diversity(samples(generator, secret)) / diversity(images)
    text += f". Samples differ {varied:.2f} times as much as scenes do{how_alike(varied)}"
    for name, words in (("discriminator", "plain"), ("normed", "with spectral norm")):
        if name in states and (sizes := spectral_norms(states[name])):
            text += f". Largest singular values of the discriminator's convolutions, {words}: {', '.join(f'{one:.2f}' for one in sizes)}"
    return Score(None, 0.0, text)


def how_near(ratio: float) -> str:
    """What a reconstruction's error, over that of one colour for each image, shows of a generator: nothing of where its images come from."""
    if ratio < NEAR:
        return "yours comes at least twice as near as such colours"
    return "yours does not come twice as near as such colours, as ours does after its full training"


def how_alike(varied: float) -> str:
    """What the samples' diversity, over that of scenes, shows; empty where nothing. Why they are alike, it does not show."""
    if varied >= COLLAPSED:
        return ""
    return ", less than half: they are alike, as in mode collapse, and as at the very start of a training"


def generator_of(state: State) -> nn.Module:
    """The notebook's generator with these weights, in evaluation mode.

    Raises:
        RuntimeError: If they are another network's.
    """
    up: list[nn.Module] = []
    for inputs, outputs in ((128, 64), (64, 32), (32, 3)):
        up += [
            nn.BatchNorm2d(inputs),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(inputs, outputs, kernel_size=4, stride=2, padding=1),
        ]
    whole = nn.ModuleDict({"fc": nn.Linear(CODE, 128 * 4 * 4), "upsample": nn.Sequential(*up, nn.Sigmoid())})
    counters = {key: value for key, value in whole.state_dict().items() if not value.is_floating_point()}
    whole.load_state_dict({**counters, **{key: torch.from_numpy(value) for key, value in state.items()}})
    return whole.eval().requires_grad_(False)


def decode(generator: nn.Module, codes: Tensor) -> Tensor:
    """From codes (B, 64) to images (B, 3, 32, 32)."""
    parts: nn.ModuleDict = generator  # type: ignore[assignment]
    return parts["upsample"](parts["fc"](codes).reshape(-1, 128, 4, 4))


@cache
def scenes(secret: bytes) -> Tensor:
    """Held-out images, values in [0, 1], (64, 3, 32, 32)."""
    return images_0_1(draw_scenes(N_IMAGES, _seed(secret))[0])


def _seed(secret: bytes) -> int:
    return int(np.random.default_rng(np.frombuffer(secret or b"0", np.uint8).astype(np.uint32)).integers(2**31, 2**40))


def samples(generator: nn.Module, secret: bytes) -> Tensor:
    """Images of codes that are drawn here."""
    codes = torch.randn(N_SAMPLES, CODE, generator=torch.Generator().manual_seed(_seed(secret)))
    with torch.no_grad():
        return decode(generator, codes)


def search(generator: nn.Module, images: Tensor) -> float:
    """Mean squared error of the nearest images that a search from codes of zeros finds."""
    codes = torch.zeros(len(images), CODE, requires_grad=True)
    optimizer = torch.optim.Adam([codes], lr=RATE)
    for _ in range(STEPS):
        loss = (decode(generator, codes) - images).square().mean()
        (codes.grad,) = torch.autograd.grad(loss, [codes])
        optimizer.step()
    with torch.no_grad():
        return (decode(generator, codes) - images).square().mean().item()


def spread(images: Tensor, each: bool = False) -> float:
    """Mean squared error of the best single grey; or of the best single colour for each image."""
    return (images - images.mean(dim=(2, 3) if each else (0, 1, 2, 3), keepdim=True)).square().mean().item()


def diversity(images: Tensor) -> float:
    """Mean distance of two images, root mean square over pixels."""
    return (torch.pdist(images.flatten(1)) / images[0].numel() ** 0.5).mean().item()


def spectral_norms(state: State) -> list[float]:
    """The largest singular value of each convolution's matrix as it is used: normalised ones have their power iteration's vectors beside them."""
    found = []
    for key in sorted(state):
        weight = state[key]
        if weight.ndim != 4:
            continue
        stem = key.removesuffix(".original").removesuffix("_orig")
        matrix: np.ndarray = weight.reshape(len(weight), -1).astype(np.float64)
        left, right = (
            state.get(stem + end, state.get(stem + other)) for end, other in ((".0._u", "_u"), (".0._v", "_v"))
        )
        if (
            left is not None
            and right is not None
            and left.shape == matrix.shape[:1]
            and right.shape == matrix.shape[1:]
        ):
            matrix = matrix / max(float(left @ matrix @ right), 1e-12)
        found.append(float(np.linalg.norm(matrix, 2)))
    return found
