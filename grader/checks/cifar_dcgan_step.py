"""Judges of one step of the game, from what two plain networks saw of it.

The discriminator's logit of an image is weight * pixel + offset, the generator's pixel 0.5 + scale * z[0] + shift, so that
every gradient follows from the pixels shown, the first numbers of the codes, and the four parameters.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from grader.checks import Arrays, Symptom

_WHOSE = {1: "the discriminator's", 2: "the generator's", 3: "an optimizer of both networks'"}
_D, _G = slice(0, 2), slice(2, 4)  # columns of the parameters: weight, offset; scale, shift


@dataclass(frozen=True)
class _Batch:
    """What the discriminator was shown in one call: pixels, and the codes of those the generator made."""

    kind: str  # real, fake, mixed, or other: pixels that are neither
    pixels: np.ndarray
    codes: np.ndarray


@dataclass(frozen=True)
class _Update:
    """One optimizer step, and the batches the discriminator was shown since the last one."""

    whose: int
    batches: list[_Batch]
    before: np.ndarray
    gradient: np.ndarray
    left: np.ndarray  # the gradients at the last update
    after: np.ndarray

    @property
    def kinds(self) -> list[str]:
        return [batch.kind for batch in self.batches]


def _updates(values: Arrays, inputs: Arrays) -> list[_Update]:
    batches = _batches(values, inputs)
    calls, whose = values["shown_after"].tolist(), values["updates"].tolist()
    before, gradients, after = (values[name].astype(float) for name in ("before", "gradients", "after"))
    if not len(whose) == len(before) == len(gradients) == len(after) or before.shape[1:] != (4,):
        raise ValueError("four parameters an update")
    left = np.concatenate([np.zeros((1, 4)), gradients])
    return [
        _Update(
            int(whose[n]), [b for b, call in zip(batches, calls, strict=True) if call == n],
            before[n], gradients[n], left[n], after[n],
        )
        for n in range(len(whose))
    ]  # fmt: skip


def _batches(values: Arrays, inputs: Arrays) -> list[_Batch]:
    """Name each batch by where its pixels come from: an image given, or one the generator has made."""
    shown = values["shown"].astype(np.float32)
    given = set(inputs["values"].tolist())
    origin = dict(zip(values["made"].tolist(), values["codes"], strict=True))
    batches, at = [], 0
    for size in values["shown_sizes"].tolist():
        pixels = shown[at : at + size]
        kinds = {"real" if pixel in given else "fake" if pixel in origin else "other" for pixel in pixels.tolist()}
        kind = kinds.pop() if len(kinds) == 1 else "other" if "other" in kinds else "mixed"
        codes = np.array([origin[pixel] for pixel in pixels.tolist()] if kind == "fake" else [])
        batches.append(_Batch(kind, pixels.astype(float), codes))
        at += size
    return batches


def _of(whose: int, values: Arrays, inputs: Arrays) -> list[tuple[int, _Update]]:
    """The updates of one network, with the number of the step each belongs to."""
    return [(n // 2 + 1, update) for n, update in enumerate(_updates(values, inputs)) if update.whose == whose]


def updates(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The discriminator's, then the generator's, once a step, for all full batches of all epochs."""
    found = _updates(values, inputs)
    order = [update.whose for update in found]
    count, size, epochs = len(inputs["values"]), int(inputs["batch_size"]), int(inputs["epochs"])
    steps = epochs * (count // size)
    if order == [1, 2] * steps:
        return _moves_only(found)
    about = f"with {count} images, BATCH_SIZE {size} and {epochs} epochs"
    if 3 in order:
        return Symptom(
            "one optimizer moves both networks: each update calls step() of its own network's optimizer",
            "shared_optimizer",
        )
    if not order:
        return Symptom(f"{about}, no optimizer moved a network: call step() of each network's optimizer", "no_update")
    if order == [2, 1] * steps:
        return Symptom("the generator moves first; a step begins with the discriminator's update", "generator_first")
    for whose, slip in ((1, "two_updates_of_d"), (2, "two_updates_of_g")):
        if order.count(whose) == 2 * steps and order.count(3 - whose) == steps:
            return Symptom(
                f"{_WHOSE[whose]} optimizer moves twice a step: one update with the whole loss, one step()", slip
            )
    counts = order.count(1), order.count(2)
    slip = "no_update" if 0 in counts else "partial_batch" if order == [1, 2] * epochs * -(-count // size) else ""
    text = f"{about}, there were {counts[0]} updates of the discriminator and {counts[1]} of the generator, expected {steps} of each"
    return Symptom(f"{text}, in turn", slip)


def _moves_only(found: list[_Update]) -> Symptom | None:
    for update in found:
        other = _G if update.whose == 1 else _D
        if not (update.after[other] == update.before[other]).all():
            return Symptom(f"{_WHOSE[update.whose]} update moves the other network too")
    return None


def batches(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """A full real and a full fake batch, in two calls; every image at most once an epoch, in a new order each time."""
    size = int(inputs["batch_size"])
    found = _of(1, values, inputs)
    if not found:
        return Symptom("the discriminator is never updated")
    for step, update in found:
        kinds = update.kinds
        if "mixed" in kinds:
            return Symptom(
                "real and fake images share a batch: show them to the discriminator in two separate calls",
                "joined_batches",
            )
        if "other" in kinds:
            return Symptom(
                "the discriminator sees images that are neither the given ones nor the generator's: change nothing on them"
            )
        if sorted(kinds) != ["fake", "real"]:
            is_early = sorted(kinds) == ["fake", "fake", "real"]
            text = f"before its update in step {step} the discriminator is shown {_list(kinds)}, expected one real and one fake batch"
            return Symptom(
                f"{text}: the generator's fakes are judged after the update" if is_early else text,
                "judged_too_early" if is_early else "",
            )
        if any(len(batch.pixels) != size for batch in update.batches):
            sizes = " and ".join(str(len(batch.pixels)) for batch in update.batches)
            return Symptom(
                f"in step {step} the batches have {sizes} images, expected {size}: full batches only", "partial_batch"
            )
    if not np.asarray(values["in_training"]).all():
        return Symptom("a network is in evaluation mode while it trains: call train() on both")
    return _order([update.batches[update.kinds.index("real")].pixels for _, update in found], inputs)


def _order(real: list[np.ndarray], inputs: Arrays) -> Symptom | None:
    per_epoch = len(inputs["values"]) // int(inputs["batch_size"])
    epochs = [np.concatenate(real[at : at + per_epoch]).tolist() for at in range(0, len(real), per_epoch)]
    if any(max(Counter(epoch).values()) > 1 for epoch in epochs):
        return Symptom(
            "an image comes twice in one epoch: draw one order for all images, then cut it into batches",
            "images_repeat",
        )
    if len(epochs) > 1 and epochs[0] == epochs[1]:
        return Symptom("two epochs have the same order: shuffle before each of them", "not_shuffled")
    return None


def detached(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The discriminator's half leaves the generator alone: its weights and its gradient."""
    found = _of(1, values, inputs)
    if not any("fake" in update.kinds or "mixed" in update.kinds for _, update in found):
        return Symptom("the discriminator is not shown any fakes before its update")
    for step, update in found:
        if not (update.after[_G] == update.before[_G]).all():
            return Symptom("the discriminator's update moves the generator")
        leak = np.minimum(np.abs(update.gradient[_G] - update.left[_G]), np.abs(update.gradient[_G]))
        if not leak.max() < 1e-7:  # a gradient cleared meanwhile is none
            return Symptom(
                f"in step {step} the discriminator's loss leaves a gradient in the generator: detach the fakes",
                "not_detached",
            )
    return None


def discriminator(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The gradient of BCE(real, 1) + BCE(fake, 0), when the optimizer moves the discriminator, and the loss reported."""
    found = _of(1, values, inputs)
    if not found:
        return Symptom("the discriminator is never updated")
    losses = []
    for step, update in found:
        if sorted(set(update.kinds)) != ["fake", "real"]:
            return Symptom(
                f"before its update in step {step} the discriminator is shown {_list(update.kinds)}, expected a real and a fake batch"
            )
        shown = [update.batches[update.kinds.index(kind)].pixels for kind in ("real", "fake")]
        expected, slips = _discriminator_gradients(*shown, *update.before[_D])
        if symptom := _differs(step, "discriminator", update.gradient[_D], expected, update.left[_D], slips):
            return symptom
        losses.append(
            sum(_loss(pixels, label, *update.before[_D]) for pixels, label in zip(shown, (1, 0), strict=True))
        )
    return _reported(values["losses"], 0, np.array(losses), "L_D")


def _discriminator_gradients(real: np.ndarray, fake: np.ndarray, weight: float, offset: float):
    """The right gradient, and those of the usual slips by name."""
    right, wrong = (
        [_slope(pixels, label, weight, offset) for pixels, label in zip((real, fake), labels, strict=True)]
        for labels in ((1, 0), (0, 1))
    )
    on_real, on_fake = right
    slips = {
        "labels_swapped": (sum(wrong), "the labels are the wrong way round: real is 1, fake is 0"),
        "fakes_labelled_real": (on_real + wrong[1], "the fakes are labelled real: to the discriminator they are 0"),
        "mean_of_both": ((on_real + on_fake) / 2, "the two losses are averaged: take their sum"),
        "real_only": (on_real, "only the real batch counts: add the loss on the fakes"),
        "fake_only": (on_fake, "only the fakes count: add the loss on the real batch"),
        "ascends": (
            -(on_real + on_fake),
            "the discriminator climbs its loss: backward() of the loss itself, not of its negative",
        ),
        "sum_for_mean": (len(real) * (on_real + on_fake), "the losses are sums over the batch: take means"),
        "sigmoid_twice": (
            _slope(real, 1, weight, offset, twice=True) + _slope(fake, 0, weight, offset, twice=True),
            "a sigmoid comes before a loss that has its own",
        ),
    }
    return on_real + on_fake, slips


def generator(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The gradient of BCE(fake, 1), when the optimizer moves the generator, and the loss reported."""
    found = _of(2, values, inputs)
    if not found:
        return Symptom("the generator is never updated")
    losses = []
    for step, update in found:
        if update.kinds != ["fake"]:
            slip = "judged_too_early" if not update.kinds else ""
            text = f"between the discriminator's update and the generator's in step {step}, the discriminator is shown {_list(update.kinds)}"
            return Symptom(f"{text}, expected one batch of fakes", slip)
        (batch,) = update.batches
        if len(batch.pixels) != int(inputs["batch_size"]):
            return Symptom(
                f"the generator is trained on {len(batch.pixels)} fakes, expected BATCH_SIZE = {int(inputs['batch_size'])}"
            )
        expected, slips = _generator_gradients(batch, *update.before[_D])
        if symptom := _differs(step, "generator", update.gradient[_G], expected, update.left[_G], slips):
            return symptom
        losses.append(_loss(batch.pixels, 1, *update.before[_D]))
        if not (update.after[_D] == update.before[_D]).all():
            return Symptom("the generator's update moves the discriminator")
    return _reported(values["losses"], 1, np.array(losses), "L_G")


def _generator_gradients(batch: _Batch, weight: float, offset: float):
    first, n = batch.codes[:, 0].astype(float), len(batch.pixels)
    inner = np.stack([first, np.ones(n)])  # of a pixel with respect to scale and shift

    def slope(label: int, twice: bool = False) -> np.ndarray:
        return inner @ (weight * _residual(batch.pixels, label, weight, offset, twice)) / n

    slips = {
        "fakes_labelled_fake": (slope(0), "its fakes are labelled fake: here the label is real, 1"),
        "saturating": (
            -slope(0),
            "it climbs the loss with the label fake, which saturates: descend the loss with the label real",
        ),
        "ascends": (-slope(1), "it climbs its loss: backward() of the loss itself, not of its negative"),
        "no_gradient": (0 * slope(1), "no gradient reaches it: do not detach the fakes here"),
        "sum_for_mean": (n * slope(1), "the loss is a sum over the batch: take the mean"),
        "sigmoid_twice": (slope(1, twice=True), "a sigmoid comes before a loss that has its own"),
    }
    return slope(1), slips


def _residual(pixels: np.ndarray, label: int, weight: float, offset: float, twice: bool = False) -> np.ndarray:
    """The derivative of an image's binary cross-entropy with respect to its logit."""
    p = _sigmoid(weight * pixels + offset)
    return (_sigmoid(p) - label) * p * (1 - p) if twice else p - label


def _slope(pixels: np.ndarray, label: int, weight: float, offset: float, twice: bool = False) -> np.ndarray:
    residual = _residual(pixels, label, weight, offset, twice)
    return np.array([(residual * pixels).mean(), residual.mean()])


def _loss(pixels: np.ndarray, label: int, weight: float, offset: float) -> float:
    logits = weight * pixels + offset
    return float((np.logaddexp(0, logits) - label * logits).mean())


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _differs(
    step: int,
    network: str,
    got: np.ndarray,
    expected: np.ndarray,
    left: np.ndarray,
    slips: dict[str, tuple[np.ndarray, str]],
) -> Symptom | None:
    if _equal(got, expected):
        return None
    start = f"in step {step} the {network}'s gradient is wrong"
    if left.any() and _equal(got - left, expected):
        return Symptom(
            f"{start}: the old one is still in it, call zero_grad() before backward()", f"{network}_not_cleared"
        )
    for slip, (wrong, sentence) in slips.items():
        if _equal(got, wrong):
            return Symptom(f"{start}: {sentence}", slip)
    return Symptom(f"{start}, off by {np.abs(got - expected).max():.2g}: look at the labels, the sum, zero_grad()")


def _equal(got: np.ndarray, expected: np.ndarray) -> bool:
    return bool(np.allclose(got, expected, rtol=1e-3, atol=1e-5))


def _reported(losses: np.ndarray, column: int, expected: np.ndarray, name: str) -> Symptom | None:
    """The losses that went to the curves; a `train` of a student's own may draw its curves elsewhere."""
    if len(losses) == 0:
        return None
    got = losses[:, column]
    if got.shape == expected.shape and np.allclose(got, expected, rtol=1e-3, atol=1e-4):
        return None
    return Symptom(
        f"{name} is trained on but not returned: return the loss itself, in nats, from its method", "loss_not_returned"
    )


def codes(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Draws from N(0, I), new ones for each of the two halves of each step."""
    shown = [batch.codes for batch in _batches(values, inputs) if batch.kind == "fake"]
    if len(shown) < 2:
        return Symptom(
            "the discriminator is not shown fakes twice a step: once for its update, once for the generator's"
        )
    for n, batch in enumerate(shown):
        if any(np.array_equal(batch[0], row) for earlier in shown[:n] for row in earlier):
            return Symptom(
                "the same codes are used twice: draw new ones for each of the two updates of each step", "old_codes"
            )
    drawn = np.concatenate(shown).astype(float)
    if len(np.unique(drawn[:, 0])) < len(drawn):
        return Symptom("the images of a batch share their code: draw one code for each")
    error = 6 / np.sqrt(drawn.size)
    if not abs(drawn.std() - 1) <= error:
        slip = "uniform_codes" if abs(drawn.std() - 12**-0.5) < 0.05 else ""
        text = f"the codes have standard deviation {drawn.std():.2f}, expected 1"
        return Symptom(f"{text}: N(0, I) is randn, not rand" if slip else text, slip)
    if not abs(drawn.mean()) <= error:
        return Symptom(f"the codes have mean {drawn.mean():.2f}, expected 0")
    return None


def _list(kinds: list[str]) -> str:
    return ", ".join(kinds[:6]) if kinds else "nothing"
