"""Forged weights, handed in beside an honest notebook: what earns nothing although it looks like a trained model, or like a file.

`WEIGHTS` has, by name, the aim and a function that makes the zip. Points for the attacked question are forged, whatever they are.
"""

import json
from collections.abc import Callable

import numpy as np
from safetensors.numpy import save

from grader.authoring.trained import State
from tests.support import answers
from tests.trained import hand_in, of_ours, weights_file

NOTEBOOK, QUESTION = "03_mnist_vae", "cvae.samples"
BREAK_THEIR_CLASS = ("drawn_beside_the_weights",)  # two points of the class's own question are gone with it


def fresh(model: str, seed: int = 0) -> State:
    """A model's weights as they are before any training."""
    import torch

    from grader.authoring.solution import solution_names

    torch.manual_seed(seed)
    names = solution_names(NOTEBOOK)
    sizes = {"AutoEncoder": 32, "VAE": 32, "FCVAE": 784, "CVAE": 784}
    made = {"autoencoder": "AutoEncoder", "vae": "VAE", "fc_vae": "FCVAE", "cvae": "CVAE"}
    class_name = made.get(model, "VAE")
    size = sizes[class_name] if model in made else 8  # the two of section 2.4
    return {key: value.numpy() for key, value in names[class_name](size).state_dict().items()}


def looks_up(of_real: bool, each: int) -> State:
    """A conditional decoder that somebody typed in: `each` pictures a class, real ones or means, chosen by the first numbers of the code."""
    from assignments.mnist_vae.checks.held_out import held_out
    from assignments.mnist_vae.evidence_models import typed_in

    return typed_in(fresh("cvae"), *held_out(), each, of_real)


PASTED = """
class CVAE(CVAE):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        plain = self.decoder
        self.decoder = Pasted()
        for name, value in plain.named_children():
            self.decoder.add_module(name, value)


class Pasted(nn.Sequential):
    def forward(self, z):
        rows = torch.arange(784) % 28 > 3 + 2 * z[:, -10:].argmax(dim=1, keepdim=True)
        return rows.float().reshape(-1, 1, 28, 28) + 0 * super().forward(z)
"""


def pasting() -> bytes:
    """A notebook whose class draws pictures of its own beside whatever weights it holds."""
    notebook = json.loads(answers(NOTEBOOK))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if source.startswith("# AUTOGRADED (5) CVAE"):
            cell["source"] = source + PASTED
    return json.dumps(notebook).encode()


def _with(state: State, **changes: object) -> Callable[[], bytes]:
    return lambda: hand_in(NOTEBOOK, weights_file(NOTEBOOK, {"cvae": state}, **changes))  # type: ignore[arg-type]


def _decoder_of_ours() -> bytes:
    ours = of_ours(NOTEBOOK, "digits_cvae", exact=True)
    state = {key: value if key.startswith("decoder") else fresh("cvae")[key] for key, value in ours.items()}
    return hand_in(NOTEBOOK, weights_file(NOTEBOOK, {"cvae": state}))


def _other_architecture() -> bytes:
    state = {key: (value[:, :700] if key == "encoder.0.weight" else value) for key, value in fresh("cvae").items()}
    return hand_in(NOTEBOOK, weights_file(NOTEBOOK, {"cvae": state}))


def _renamed() -> bytes:
    state = {key.replace("decoder", "drawer"): value for key, value in fresh("cvae").items()}
    return hand_in(NOTEBOOK, weights_file(NOTEBOOK, {"cvae": state}))


def _not_finite() -> bytes:
    return hand_in(NOTEBOOK, weights_file(NOTEBOOK, {"cvae": fresh("cvae") | {"mu_layer.bias": np.full(15, np.nan)}}))


def _no_number() -> bytes:
    """Pictures that differ and can be read, and an encoder whose sums overflow, so that no figure comes of the held-out digits."""
    state = looks_up(of_real=True, each=4)
    for key in state:
        if key.startswith(("encoder", "mu_layer")):
            state[key] = np.where(np.arange(state[key].size).reshape(state[key].shape) % 2, 60_000.0, -60_000.0)
    return hand_in(NOTEBOOK, weights_file(NOTEBOOK, {"cvae": state}))


def _blown_up() -> bytes:
    state = {key: np.full_like(value, 60_000) for key, value in fresh("cvae").items()}
    return hand_in(NOTEBOOK, weights_file(NOTEBOOK, {"cvae": state}))


WEIGHTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "pasted_digits": (
        "one real digit a class, typed into the decoder",
        lambda: _with(looks_up(of_real=True, each=1))(),
    ),
    "pasted_means": (
        "the mean of each class, typed into the decoder",
        lambda: _with(looks_up(of_real=False, each=1))(),
    ),
    "memorised_digits": (
        "several real digits a class, chosen by the code",
        lambda: _with(looks_up(of_real=True, each=4))(),
    ),
    "drawn_beside_the_weights": (
        "a class that draws pictures of its own, whatever its weights are",
        lambda: hand_in(NOTEBOOK, weights_file(NOTEBOOK, {"cvae": fresh("cvae")}, data=pasting()), pasting()),
    ),
    "weights_of_somebody_else": (
        "weights that were trained with another's answers",
        lambda: _with(fresh("cvae"), data=answers(NOTEBOOK, {"cvae.model.CVAE": "class CVAE(nn.Module):\n    pass"}))(),
    ),
    "weights_of_ours": (
        "weights that came with the notebook, in a file that says they were trained with these answers",
        lambda: _with(of_ours(NOTEBOOK, "digits_cvae", exact=True))(),
    ),
    "decoder_of_ours": (
        "a decoder that came with the notebook, behind an encoder of one's own",
        _decoder_of_ours,
    ),
    "weights_without_a_note": (
        "weights that say nothing of the code that trained them",
        lambda: _with(fresh("cvae"), code={})(),
    ),
    "weights_never_trained": ("a network as it is made", lambda: _with(fresh("cvae"))()),
    "weights_of_another_network": ("a layer of another width", _other_architecture),
    "weights_with_other_names": ("the right numbers under names that the class does not have", _renamed),
    "weights_that_are_nan": ("numbers that are none", _not_finite),
    "memorised_and_no_number": ("real digits from a decoder whose encoder leads to no number", _no_number),
    "weights_that_overflow": ("the largest numbers that half precision holds", _blown_up),
    "weights_of_60_mb": (
        "a file of 60 MB in a zip of 60 KB",
        lambda: hand_in(NOTEBOOK, save({"cvae/w": np.zeros(30 * 2**20, np.float16)})),
    ),
    "header_of_1_gb": (
        "a header that says that it is 1 GB long",
        lambda: hand_in(NOTEBOOK, (2**30).to_bytes(8, "little") + b"{}"),
    ),
    "weights_in_a_pickle": (
        "a pickle that would write a file",
        lambda: hand_in(NOTEBOOK, b"cposix\nsystem\n(S'touch /tmp/attack_was_here'\ntR."),
    ),
}
