"""Handed-in weights on another machine: what is measured on them, without the last digits."""

import re
from collections.abc import Iterator

import numpy as np
import yaml

from assignments.airfoil_vae.numbers import MODEL, TRAIN
from grader.authoring.trained import State
from grader.stages.pipeline import Grader
from tests.attacks.weights import fresh, looks_up
from tests.trained import hand_in, of_ours, weights_file
from utils.assignments import load_assignment
from utils.assignments.places import place_of

FILES = {  # beside the notebook
    "02_airfoil_vae": {
        "model_config.yaml": yaml.safe_dump(MODEL).encode(),
        "train_config.yaml": yaml.safe_dump(TRAIN).encode(),
    }
}
_NUMBER = re.compile(r"\d[\d.,e%-]*")


def handed_in() -> Iterator[tuple[str, str, dict[str, State]]]:
    """Assignment, what the weights are, and the models: good ones, and bad ones of each kind that a measure tells apart."""
    name = "03_mnist_vae"
    ours = {
        "vae": "digits_beta_tuned",
        "cvae": "digits_cvae",
        "fc_vae": "digits_fc_vae",
        "autoencoder": "digits_autoencoder",
        "annealed": "digits_annealed",
        "unannealed": "digits_full",
    }
    yield name, "trained well", {model: of_ours(name, file) for model, file in ours.items()}
    yield name, "beta 0, one digit a class typed in", {"vae": of_ours(name, "digits_beta_0"), "cvae": looks_up(True, 1)}
    yield (
        name,
        "beta 10, four digits a class typed in",
        {"vae": of_ours(name, "digits_beta_10"), "cvae": looks_up(True, 4)},
    )
    yield name, "untrained", {model: fresh(model) for model in ours}
    name = "02_airfoil_vae"
    yield name, "trained well", {"vae": of_ours(name, "airfoils_design")}
    name = "04_cifar_dcgan"
    good = of_ours(name, "photographs_dcgan", "generator")
    yield (
        name,
        "trained well",
        {"generator": good, "discriminator": of_ours(name, "photographs_dcgan", "discriminator")},
    )
    yield name, "one picture for every code", {"generator": good | {"fc.weight": 0.02 * good["fc.weight"]}}
    yield (
        name,
        "one grey",
        {"generator": {key: np.full_like(value, key.endswith("var")) for key, value in good.items()}},
    )


def measured(grader: Grader) -> dict[str, list]:
    """Of each hand-in: status, points and words of what is measured on its weights."""
    found = {}
    for name, what, models in handed_in():
        about = load_assignment(name).about.weights
        assert about is not None
        judge, files = place_of(name).load(about.module), FILES.get(name, {})
        checks = {*judge.PARTS, *getattr(judge, "TOLD", {})}
        report = grader.grade_bytes(hand_in(name, weights_file(name, models, files=files), files=files), "a.zip", "a")
        if report.fault or report.rejection:
            raise RuntimeError(f"{name} {what}: {report.fault or report.rejection}")
        found[f"{name} {what}"] = [
            [v.check, v.status, v.points, _NUMBER.sub("#", v.sentence)] for v in report.verdicts if v.check in checks
        ]
    return found
