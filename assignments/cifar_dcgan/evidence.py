"""The evidence behind what is told of notebook 4's weights: `python -m assignments.cifar_dcgan.evidence --keep FOLDER`.

Trains the reference solution well, too short, and in the ways that section 2 shows, and keeps the generators. Measures each, in half precision, as
the grader does, with five secrets, and writes the table into docs/trained-quality.md. What is trained already is read from the folder, so that
a run can be broken off; a seed takes about four minutes of one CPU core.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import nn

from assignments.cifar_dcgan.checks.trained import (
    COLLAPSED,
    NEAR,
    diversity,
    generator_of,
    samples,
    scenes,
    search,
    spread,
)
from grader.authoring.measurement import MARGIN_HEAD, margin_row, median_and_ends, put_between
from grader.authoring.solution import solution_names
from grader.authoring.trained import State, state_of_ours
from utils import CIFAR10Dataset, accelerated, set_seed
from utils.assignments.places import PROJECT, place_of
from utils.datasets.cifar import images_0_1

NOTEBOOK = "04_cifar_dcgan"
PAGE = PROJECT / "docs" / "trained-quality.md"
BEGIN, END = "<!-- notebook 4, made by the run: begin -->", "<!-- notebook 4, made by the run: end -->"
SECRETS = [f"evidence {n}".encode() for n in range(5)]
N_REAL = 5_085  # photographs to train on: as many as the notebook's own figures are of


@dataclass(frozen=True)
class Kind:
    """How a generator is trained.

    Attributes:
        epochs: After which of them it is kept; 0 is as it was made.
        images: How many photographs it sees.
        rates: Adam's, of discriminator and generator; as in the exercise where None.
        is_saturating: Whether the generator minimises log(1 - D).
    """

    epochs: tuple[int, ...]
    images: int = N_REAL
    rates: tuple[float, float] | None = None
    is_saturating: bool = False


GAMES = {
    "as in 1.2": Kind((0, 1, 5, 25)),
    "slow G, fast D": Kind((6,), 2560, (2e-3, 2e-5)),
    "fast D, saturating loss": Kind((6,), 2560, (2e-3, 2e-4), is_saturating=True),
    "fast G, slow D": Kind((6,), 2560, (5e-5, 4e-3)),
}
MEMORISED, PAIRS, STEPS = "64 photographs learnt by heart", 64, 600
UNTRAINED, GREY, OURS = "as in 1.2, 0", "one grey for all, typed in", "weights of ours, 100"
GOOD = ["as in 1.2, 25", OURS]
MARKS = (  # in words, which measure, the mark, and which rows lie on its good side and on its bad one
    ("reconstruction over one colour for each, less is better", 1, NEAR, GOOD, [UNTRAINED, GREY]),
    ("diversity", 2, COLLAPSED, GOOD, [GREY]),
)
Measured = tuple[list[float], list[float], list[float]]


def play(names: dict, kind: str, seed: int, photographs: torch.Tensor, keep: Path, until: int) -> None:
    """Train one game and keep its generator after each of its epochs, those after `until` left out."""
    settings = GAMES[kind]
    epochs = [epoch for epoch in settings.epochs if epoch <= until]
    if all(kept(keep, kind, seed, epoch).exists() for epoch in epochs):
        return
    set_seed(seed)
    game = names["DCGAN"]()
    if settings.is_saturating:
        game._update_generator = _saturating(game, names["draw_codes"])
    if settings.rates:
        for optimizer, rate in zip(
            (game._discriminator_optimizer, game._generator_optimizer), settings.rates, strict=True
        ):
            optimizer.param_groups[0]["lr"] = rate
    game._num_epochs = 1
    for epoch in range(max(epochs) + 1):
        if epoch:
            with accelerated(game._generator, game._discriminator):
                game.train(photographs[: settings.images])
            print(f"{kind}, seed {seed}, epoch {epoch}", flush=True)
        if epoch in epochs:
            _save(game._generator, kept(keep, kind, seed, epoch))


def _saturating(game, draw_codes: Callable) -> Callable:
    def update(batch_size: int) -> torch.Tensor:
        logits = game._discriminator(game._generator(draw_codes(batch_size)))
        game._generator_optimizer.zero_grad()
        F.logsigmoid(-logits).mean().backward()
        game._generator_optimizer.step()
        return F.softplus(-logits).mean().detach()

    return update


def memorise(names: dict, seed: int, photographs: torch.Tensor, keep: Path) -> None:
    """A generator that was told which photograph each of 64 codes stands for, and trained on that alone."""
    path = kept(keep, MEMORISED, seed, STEPS)
    if path.exists():
        return
    set_seed(seed)
    generator, wanted = names["Generator"](64), images_0_1(photographs[torch.randperm(len(photographs))[:PAIRS]])
    codes, optimizer = torch.randn(PAIRS, 64), torch.optim.Adam(generator.parameters(), lr=2e-3)
    for _ in range(STEPS):
        loss = F.mse_loss(generator(codes), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"{MEMORISED}, seed {seed}: {loss.item():.4f}", flush=True)
    _save(generator, path)


def one_grey(state: State, seed: int) -> State:
    """A generator whose last bias alone decides, whatever the code is."""
    forged = {key: np.full_like(value, key.endswith("running_var")) for key, value in state.items()}
    forged["upsample.8.bias"] = np.full(3, np.random.default_rng(seed).uniform(-0.5, 0.5), np.float32)
    return forged


def _save(generator: nn.Module, path: Path) -> None:
    floats = {
        key: value.float().contiguous() for key, value in generator.state_dict().items() if value.is_floating_point()
    }
    save_file(floats, path)


def kept(keep: Path, kind: str, seed: int, epoch: int) -> Path:
    return keep / f"{kind.replace(', ', '-').replace(' ', '_')}-{epoch}-{seed}.safetensors"


def table(keep: Path, seeds: list[int]) -> str:
    """All kept generators as the grader measures them, and how far the marks lie from them."""
    head = ["generator", "epochs", "seeds", "reconstruction", "over one colour for each", "diversity, over the scenes'"]
    head += ["twice as near as the colours", "alike"]
    lines = [f"| {' | '.join(head)} |", "|---|---:|---:|---|---|---|---|---|"]
    rows: dict[str, list[State]] = {}
    for kind, epoch in [(kind, epoch) for kind, settings in GAMES.items() for epoch in settings.epochs]:
        rows[f"{kind}, {epoch}"] = [
            state_of(path) for seed in seeds if (path := kept(keep, kind, seed, epoch)).exists()
        ]
    rows[MEMORISED] = [state_of(path) for seed in seeds if (path := kept(keep, MEMORISED, seed, STEPS)).exists()]
    rows[GREY] = [one_grey(state, seed) for seed, state in enumerate(rows[UNTRAINED])]
    ours = place_of(NOTEBOOK).path / "weights" / "photographs_dcgan.safetensors"
    rows[OURS] = [state_of_ours(ours, "generator")]
    measured = {row: _measured(states) for row, states in rows.items() if states}
    lines += [_row(row, len(rows[row]), *values) for row, values in measured.items()]
    return "\n".join([*lines, "", *_margins(measured)])


def _measured(states: list[State]) -> Measured:
    """Reconstruction, its ratio to one colour for each image, and diversity: of each model, with each secret."""
    losses, ratios, varied = [], [], []
    for state in states:
        generator = generator_of(state)
        for secret in SECRETS:
            images = scenes(secret)
            losses.append(search(generator, images))
            ratios.append(losses[-1] / spread(images, each=True))
            varied.append(diversity(samples(generator, secret)) / diversity(images))
    return losses, ratios, varied


def _margins(measured: dict[str, Measured]) -> Iterator[str]:
    """Each mark between the worst that is to pass and the best that is not."""
    yield from MARGIN_HEAD
    for words, which, mark, *rows in MARKS:
        passes, fails = ({row: measured[row][which] for row in side if row in measured} for side in rows)
        yield margin_row(words, mark, passes, fails, is_less_better=which == 1)


def state_of(path: Path) -> State:
    """Weights as the grader reads them from a hand-in."""
    return {key: value.astype(np.float16).astype(np.float32) for key, value in load_file(path).items()}


def _row(row: str, seeds: int, losses: list[float], ratios: list[float], varied: list[float]) -> str:
    kind, _, epochs = row.rpartition(", ") if row.rpartition(", ")[2].isdigit() else (row, "", "")
    own, alike = [one < NEAR for one in ratios], [not one >= COLLAPSED for one in varied]
    cells = [median_and_ends(values) for values in (losses, ratios, varied)] + [_verdicts(own), _verdicts(alike)]
    return f"| {kind} | {epochs} | {seeds} | {' | '.join(cells)} |"


def _verdicts(said: list[bool]) -> str:
    return "yes" if all(said) else f"{sum(said)} of {len(said)}" if any(said) else "no"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure trained generators of notebook 4 and write the evidence.")
    parser.add_argument("--keep", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(5)))
    parser.add_argument(
        "--kinds", nargs="*", default=[*GAMES, MEMORISED], help="train these (default: all); none: only measure"
    )
    parser.add_argument("--until", type=int, default=100, help="train no longer than so many epochs (default: all)")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    if options.kinds:
        data = CIFAR10Dataset(train=True, limit=N_REAL)
        if data.is_stand_in:
            raise SystemExit("This is about photographs; point DATA_DIR at CIFAR-10.")
        names = solution_names(NOTEBOOK)
        for kind in options.kinds:
            for seed in options.seeds:
                if kind == MEMORISED:
                    memorise(names, seed, data.images, options.keep)
                else:
                    play(names, kind, seed, data.images, options.keep, options.until)
        return
    made = table(options.keep, options.seeds)
    put_between(PAGE, BEGIN, END, made)
    print(made)


if __name__ == "__main__":
    main()
