"""What `utils.accelerated` gains in the training of notebook 4, and whether it costs quality.

    python -m tools.bench cifar_dcgan

Two DCGANs (the notebook's own solution) are trained from the same seed on the same drawn scenes, a few steps of one and
a few of the other in turn, on one thread: one in plain float32, one through `accelerated`. Steps are timed in CPU
seconds, which others on the machine disturb little; only ratios within a round count. Then both search the codes of 64
test scenes.
"""

import dataclasses
import time
from typing import Any

import torch

from grader.authoring.measurement import Measurement, ratios
from grader.authoring.solution import solution_names
from utils.datasets.cifar import images_0_1
from utils.datasets.scenes import draw_scenes
from utils.training.acceleration import PLAIN, Acceleration, accelerated, choose_acceleration
from utils.training.seeding import set_seed

NOTEBOOK = "04_cifar_dcgan"
_SEARCH_STEPS = 200


def measure(rounds: int = 8, steps: int = 15) -> list[Measurement]:
    """Measure a training step and the quality after the same number of steps, plain and accelerated.

    Args:
        rounds: How often each way has its turn.
        steps: Training steps of one turn.

    Returns:
        The gain of a training step, and the mean squared error of 64 test scenes after `rounds * steps` steps both ways.
    """
    names = solution_names(NOTEBOOK)
    names["VIS_STEPS"], names["device"] = _SEARCH_STEPS, torch.device("cpu")
    train, test = (images_0_1(draw_scenes(count, seed)[0]) for count, seed in ((2048, 0), (64, 1)))
    choices = {"plain": PLAIN, "accelerated": choose_acceleration(torch.device("cpu"))}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        runs = {way: _Run(names, train, choice) for way, choice in choices.items()}
        for run in runs.values():
            run.advance(2)  # warm up: kernels are chosen, memory is allocated
        table = [{way: run.advance(steps) for way, run in runs.items()} for _ in range(rounds)]
        losses = {way: run.gan.reconstruct(test)[0].item() for way, run in runs.items()}
    finally:
        torch.set_num_threads(threads)
    plain = [row["plain"] for row in table]
    chosen = ", ".join(name for name, value in dataclasses.asdict(choices["accelerated"]).items() if value) or "nothing"
    return [
        Measurement("a training step of notebook 4 in float32", tuple(plain), "CPU s"),
        ratios(f"what `accelerated` gains (chosen here: {chosen})", plain, [row["accelerated"] for row in table]),
        *(
            Measurement(f"reconstruction of 64 test scenes, {way}", (loss,), "mean squared error")
            for way, loss in losses.items()
        ),
    ]


class _Run:
    """One GAN on its way; it has its own random numbers, so that taking turns does not matter."""

    def __init__(self, names: dict[str, Any], images: torch.Tensor, choice: Acceleration) -> None:
        set_seed(0)
        self.gan = names["DCGAN"]()
        self._images, self._choice, self._batch = images, choice, names["BATCH_SIZE"]
        self._random = torch.get_rng_state()

    def advance(self, steps: int) -> float:
        """Train for some steps; returns CPU seconds a step."""
        torch.set_rng_state(self._random)
        with accelerated(self.gan._generator, self.gan._discriminator, choice=self._choice):
            started = time.process_time()
            for _ in range(steps):
                self.gan.train_step(self._images[torch.randperm(len(self._images))[: self._batch]])
            seconds = time.process_time() - started
        self._random = torch.get_rng_state()
        return seconds / steps
