"""The five courses' own answers, in the form those courses published them: their signatures, conventions and habits.

One file a notebook, in the percent format of the slips; the word behind a task is the letter of the source in the
curriculum (C, S, L, B, M). All answers of a source are handed in together. They must get full marks, but for the slips
that are documented of them, which `DOCUMENTED` lists.
"""

from pathlib import Path

from grader.authoring.slips import parse_variants
from utils.assignments.places import place_of

# By notebook and source: the checks that are lost, each with the slip that is named.
DOCUMENTED = {
    # A draw is decoded where the posterior's mean is asked for.
    ("03_mnist_vae", "S"): {"vae.model.reconstruct": "reconstruct_samples"},
    # Adam with its default rate.
    ("04_cifar_dcgan", "S"): {"gan.init.optimizers": "default_rate"},
}


def published(name: str) -> dict[str, dict[str, str]]:
    """A notebook's published answers: by source, by task."""
    file, found = Path(__file__).parent / f"{place_of(name).folder}.py", dict[str, dict[str, str]]()
    for variant in parse_variants(file.read_text(encoding="utf-8")):
        found.setdefault(variant.name, {})[variant.task] = variant.source
    for cells in found.values():
        if "gan.init" in cells:  # one class for three cells
            cells |= {"gan.train": cells["gan.init"], "gan.reconstruct": cells["gan.init"]}
    return found
