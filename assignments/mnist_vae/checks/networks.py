"""The networks of notebook 3 in the grader, from weights alone: linear layers with ReLU between them, a sigmoid at the end of a decoder.

Numbers come in as `read_weights` gives them: float32, finite. Nothing of a student's runs here.
"""

import itertools
import re
from dataclasses import dataclass

import numpy as np

from grader.authoring.trained import State

Layers = list[tuple[np.ndarray, np.ndarray]]  # weight (out, in) and bias (out,)
PIXELS, CLASSES = 784, 10
_FAINT = 1e-7


class OtherLayers(ValueError):
    """The weights are of other layers than the exercise's."""


@dataclass(frozen=True)
class Network:
    """An encoder and a decoder.

    Attributes:
        body: The encoder's layers.
        heads: Mean and log variance, or empty where the encoder's last layer gives both, or a code.
        decoder: The decoder's layers.
    """

    body: Layers
    heads: Layers
    decoder: Layers

    def encode(self, x: np.ndarray) -> np.ndarray:
        """From images (B, 784), or images and classes, to codes (B, K), or means and log scales side by side (B, 2 K)."""
        hidden = _run(self.body, x, ends_bent=bool(self.heads))
        if not self.heads:
            return hidden
        return np.concatenate([hidden @ weight.T + bias for weight, bias in self.heads], axis=1)

    def decode(self, z: np.ndarray) -> np.ndarray:
        """From codes, or codes and classes, to images (B, 784) in [0, 1]."""
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-_run(self.decoder, z, ends_bent=False)))


def network_of(
    state: State, widths: tuple[int, ...], code: int, back: tuple[int, ...], has_heads: bool = False
) -> Network:
    """Read a network out of a model's weights.

    Args:
        state: The weights.
        widths: Of the encoder, from the input on.
        code: Outputs of each head, where there are heads.
        back: Of the decoder, from the code on.
        has_heads: Whether mean and log variance have a layer each.

    Raises:
        OtherLayers: If these are other layers, or more.
    """
    parts: dict[str, State] = {}
    for key, value in state.items():
        head, _, rest = key.partition(".")
        parts.setdefault(head, {})[rest] = value
    body = _chain(parts.pop("encoder", {}), widths)
    decoder = _chain(parts.pop("decoder", {}), back)
    heads = (
        [_chain(parts.pop(name, {}), (widths[-1], code))[0] for name in ("mu_layer", "logvar_layer")]
        if has_heads
        else []
    )
    if parts:
        raise OtherLayers(f"there are weights of {', '.join(sorted(parts))} too")
    return Network(body, heads, decoder)


def _chain(part: State, widths: tuple[int, ...]) -> Layers:
    """The layers of one part in their order: by their sizes, and where those are alike by their names."""
    waiting = sorted((key for key in part if key.endswith("weight")), key=_natural)
    layers: Layers = []
    for inputs, outputs in itertools.pairwise(widths):
        key = next((key for key in waiting if part[key].shape == (outputs, inputs)), None)
        bias = part.get(key.removesuffix("weight") + "bias") if key else None
        if key is None or bias is None or bias.shape != (outputs,):
            raise OtherLayers(f"no layer from {inputs} to {outputs} with a bias")
        waiting.remove(key)
        layers.append((part[key], bias))
    if waiting or len(part) != 2 * len(layers):
        raise OtherLayers("there are more weights than the exercise's layers have")
    return layers


def _natural(key: str) -> list[tuple[int, str]]:
    return [(int(word), "") if word.isdigit() else (-1, word) for word in re.split(r"(\d{1,9})", key)]


def _run(layers: Layers, x: np.ndarray, ends_bent: bool) -> np.ndarray:
    for n, (weight, bias) in enumerate(layers):
        x = x @ weight.T + bias
        x = np.maximum(x, 0) if ends_bent or n < len(layers) - 1 else x
    return x


def cross_entropy(x_hat: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Of each image, summed over its pixels, in nats: (B,)."""
    sure = np.clip(x_hat.astype(np.float64), _FAINT, 1 - _FAINT)
    return -(x * np.log(sure) + (1 - x) * np.log1p(-sure)).sum(axis=1)


def divergence(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """From N(0, I), of each image, summed over the dimensions, in nats: (B,)."""
    with np.errstate(over="ignore"):
        return 0.5 * (mu.astype(np.float64) ** 2 + np.exp(logvar.astype(np.float64)) - 1 - logvar).sum(axis=1)
