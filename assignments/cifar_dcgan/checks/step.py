"""Judges of one step of the game, from what two plain networks saw of it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from grader.authoring.adam import adam_path
from grader.authoring.check import Arrays, Symptom
from grader.authoring.lines import beyond, explained, is_public, resembles, within
from grader.authoring.noise import ends_early, not_standard_normal

from ..numbers import ADAM_BETAS, LEARNING_RATE
from .gradients import Slips, bce, discriminator_gradients, generator_gradients
from .trace import CORNER, Update, are_given, read_batches, read_updates

_WHOSE = {1: "the discriminator's", 2: "the generator's", 3: "an optimizer of both networks'"}
_D, _G = slice(0, 2), slice(2, 4)  # columns of the parameters: weight, offset; scale, shift
_NEAR = 0.02 * LEARNING_RATE
_ROUNDINGS = 8  # of a weight in float32, over all steps


def _games(values: Arrays, inputs: Arrays) -> Iterator[tuple[str, Arrays, Arrays]]:
    """The whole training, and of a public case the games of one step far off balance: words for which, what was seen, and what was
    given."""
    yield "", values, inputs
    for n, where in enumerate(("ahead", "behind") if is_public() else ()):
        yield f"with a discriminator that is far {where}: ", _part(f"far_{n}_", values), _far_inputs(inputs, n)


def _far_inputs(inputs: Arrays, n: int) -> Arrays:
    return {**inputs, "values": inputs["far_values"][n], "start": inputs["far_starts"][n], "epochs": np.asarray(1)}


def _part(prefix: str, values: Arrays) -> Arrays:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _first(judge: Callable[[Arrays, Arrays], Symptom | None], values: Arrays, inputs: Arrays) -> Symptom | None:
    """What a judge says of the first game that it does not like."""
    for where, seen, given in _games(values, inputs):
        if symptom := judge(seen, given):
            return symptom if not where else replace(symptom, text=where + symptom.text)
    return None


def _of(whose: int, values: Arrays, inputs: Arrays) -> list[tuple[int, Update]]:
    """The updates of one network, with the number of the step each belongs to."""
    return [(n // 2 + 1, update) for n, update in enumerate(read_updates(values, inputs)) if update.whose == whose]


def updates(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The discriminator's, then the generator's, once a step, for all full batches of all epochs."""
    return _first(_updates, values, inputs)


def _updates(values: Arrays, inputs: Arrays) -> Symptom | None:
    found = read_updates(values, inputs)
    order = [update.whose for update in found]
    count, size, epochs = len(inputs["values"]), int(inputs["batch_size"]), int(inputs["epochs"])
    steps = epochs * (count // size)
    if order == [1, 2] * steps:
        return (
            _moves_only(found)
            or _moves_as_adam(found, inputs)
            or _leaves_settings(values)
            or _tells(values)
            or _goes_on(values, inputs, count // size)
        )
    about = f"with {count} images, BATCH_SIZE {size} and {epochs} epochs"
    if 3 in order:
        return Symptom(
            "one optimizer moves both networks: each update calls step() of its own network's optimizer",
            "shared_optimizer",
        )
    if not order and steps == 1:  # others have been made: it is this one batch that is not seen
        return Symptom(f"{about}, one full batch, no network is moved: len(images) // BATCH_SIZE steps are one")
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


def _moves_only(found: list[Update]) -> Symptom | None:
    for update in found:
        other = _G if update.whose == 1 else _D
        if not (update.after[other] == update.before[other]).all():
            return Symptom(f"{_WHOSE[update.whose]} update moves the other network too")
    return None


def _moves_as_adam(found: list[Update], inputs: Arrays) -> Symptom | None:
    """From the start on, each network goes where Adam takes it with the gradients it has, and nowhere else."""
    for whose, own in ((1, _D), (2, _G)):
        seen = [
            (update.before[own], update.gradient[own], update.after[own]) for update in found if update.whose == whose
        ]
        name = _WHOSE[whose].removesuffix("'s")
        if symptom := _path(name, inputs["start"][own], *(np.array(column) for column in zip(*seen, strict=True))):
            return symptom
    return None


def _leaves_settings(values: Arrays) -> Symptom | None:
    """The optimizers' rates and betas are afterwards what they were."""
    expected = np.array([LEARNING_RATE, *ADAM_BETAS])
    if within(np.abs(values["settings"] - expected), 1e-6 * expected, "settings"):
        return None
    return Symptom("train changes the optimizers' settings: nothing here asks for another rate or other betas")


def _path(name: str, start: np.ndarray, before: np.ndarray, gradients: np.ndarray, after: np.ndarray) -> Symptom | None:
    if not within(_off(before, np.concatenate([start[None], after[:-1]])), _NEAR, f"{name} between updates"):
        return Symptom(f"something else than its optimizer's step() changes {name}'s weights", "moved_by_hand")
    path = adam_path(start, lambda _, step: gradients[step], len(gradients), LEARNING_RATE, ADAM_BETAS)[1:]
    rounding = _ROUNDINGS * np.finfo(np.float32).eps * np.abs(path)
    if within(_off(after, path), _NEAR + rounding, f"{name}'s steps of Adam"):
        return None
    if resembles(
        _off(after, before - LEARNING_RATE * np.sign(gradients)), _NEAR, "new_optimizers"
    ):  # Adam's first step
        text = f"{name}'s optimizer is new in each step and forgets its averages: take the constructor's"
        return Symptom(text, "new_optimizers")
    return Symptom(f"{name} does not move as its Adam moves it: leave the optimizers' settings as they are")


def _off(got: np.ndarray, expected: np.ndarray) -> np.ndarray:
    if got.shape != expected.shape:
        raise ValueError("one shape")
    return np.abs(got - expected)


def _tells(values: Arrays) -> Symptom | None:
    """The tracker, where `train` asks whether there is one."""
    if values["tracker_asked"].any() and not len(values["losses"]):
        return Symptom("the tracker is not told the losses: keep the given lines of train")
    if any(row[1:] != [3, 32, 32] for row in values["pictures"].tolist()):
        return Symptom("what the tracker is given at an epoch's end are no images: keep the given lines of train")
    return None


def _goes_on(values: Arrays, inputs: Arrays, steps: int) -> Symptom | None:
    """The notebook's own `train`, which asks for a checkpoint, goes on from it, with bytes, and saves what it adds."""
    if "saved" not in values:
        return None
    start = "begun again from a checkpoint before the last epoch, with images of bytes and without a tracker, train"
    pixels = values["resumed_shown"].astype(float)[:, None]
    count = steps * int(inputs["batch_size"])  # of given images; the rest of what is shown is made
    nearest = np.sort(np.abs(pixels - inputs["values"] * 256 / 255).min(axis=1))[:count]
    is_shown = len(nearest) == count and within(nearest, 1e-5, "images of bytes")
    if values["resumed_updates"].tolist() != [1, 2] * steps or not is_shown:
        return Symptom(f"{start} does not play that epoch: keep its given lines")
    if not values["resumed_in_training"].all():
        return Symptom("train leaves a network in evaluation mode that was in it before: call train() on both")
    if values["saved"].tolist() != [int(inputs["epochs"])]:
        saved = values["saved"].tolist()[:6]
        return Symptom(f"{start} saves after epochs {saved}, expected [{int(inputs['epochs'])}]: keep its given lines")
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
            later = [sorted(later.kinds) for _, later in found[1:]]  # before the first there is nothing to judge
            is_early = sorted(kinds) == ["fake", "fake", "real"] and all(one == sorted(kinds) for one in later)
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
    if _is_changed(values, inputs):
        return Symptom(
            "the discriminator sees images that are the given ones, or the generator's, in a few pixels or but for their sides or colours: "
            "change nothing on them"
        )
    if values["in_training"].shape != (2,) or not values["in_training"].all():
        return Symptom("a network is in evaluation mode while it trains: call train() on both")
    if symptom := _other_sizes(values, inputs):
        return symptom
    if is_public() and values["is_elsewhere"].any():
        return Symptom(
            "with a device that is not the CPU, train mixes tensors of two devices: make labels and codes where the networks are, "
            "with device=device or torch.ones_like"
        )
    return _order([update.batches[update.kinds.index("real")].pixels for _, update in found], inputs)


def _other_sizes(values: Arrays, inputs: Arrays) -> Symptom | None:
    """Asked for other numbers of images, the two methods of the notebook keep to them; a loop of one's own may have neither."""
    asked = _part("asked_", values)
    if not asked:
        return None
    of_d, of_g = inputs["asked_sizes"].tolist()
    found = read_updates(asked, inputs)
    text = f"given {of_d} real images and asked for {of_g} codes, where BATCH_SIZE is {int(inputs['batch_size'])}, "
    if [update.whose for update in found] != [1, 2]:
        return Symptom(f"{text}the two methods do not make an update each: take the sizes from what they are given")
    sizes = [sorted(len(batch.pixels) for batch in update.batches) for update in found]
    if sizes != [[of_d, of_d], [of_g]]:
        return Symptom(
            f"{text}the discriminator is shown {_list([str(size) for size in sizes[0]])} images, then "
            f"{_list([str(size) for size in sizes[1]])}: draw as many codes as the methods are asked for"
        )
    return _discriminator(asked, inputs) or _generator(asked, {**inputs, "batch_size": inputs["asked_sizes"][1]})


def _is_changed(values: Arrays, inputs: Arrays) -> bool:
    """Beside its first pixels a given image has half their tone and a little more, and a corner of its own; the generator's are
    of one tone."""
    pixels, rest = values["shown"].astype(float), values["shown_rest"].astype(float)
    if rest.shape != (len(pixels), 5):
        return True
    is_real = are_given(values, inputs)[:, None]
    expected = np.concatenate(
        [pixels[:, None] / 2 + [0.003, 0.005, 0.007], np.tile([0, CORNER], (len(pixels), 1))], axis=1
    )
    made = np.concatenate([np.tile(pixels[:, None], 3), np.zeros((len(pixels), 2))], axis=1)
    return not within(np.abs(rest - np.where(is_real, expected, made)), 1e-5, "tones")


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
    pairs = [set(pairwise(epoch)) for epoch in epochs]
    if any(len(one & other) > len(one) / 2 for one, other in pairwise(pairs)):
        return Symptom("an epoch has the order of the one before, begun elsewhere: shuffle before each of them")
    return None


def detached(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The discriminator's half leaves the generator alone: its weights and its gradient, and no gradient runs into it."""
    return _first(_detached, values, inputs)


def _detached(values: Arrays, inputs: Arrays) -> Symptom | None:
    found = _of(1, values, inputs)
    if not any("fake" in update.kinds or "mixed" in update.kinds for _, update in found):
        return Symptom("the discriminator is not shown any fakes before its update")
    if not all((update.after[_G] == update.before[_G]).all() for _, update in found):
        return Symptom("the discriminator's update moves the generator")
    leaking = [step for step, update in found if not within(_leak(update), 1e-6, "gradient left")]
    if len(leaking) == len(found):
        return Symptom(
            f"in step {leaking[0]} the discriminator's loss leaves a gradient in the generator: detach the fakes",
            "not_detached",
        )
    if leaking:
        return Symptom(f"in step {leaking[0]} the generator's gradient changes before the discriminator is updated")
    order = [update.whose for update in read_updates(values, inputs)]
    if any(order[n : n + 1] == [1] for n in values["pulled"].tolist()):
        return Symptom(
            "the gradient of the discriminator's loss runs on into the generator, and is cleared there: detach the fakes",
            "not_detached",
        )
    return None


def _leak(update: Update) -> np.ndarray:
    """How much gradient comes to the generator in the discriminator's half; one that is cleared meanwhile is none."""
    return np.minimum(np.abs(update.gradient[_G] - update.left[_G]), np.abs(update.gradient[_G]))


def discriminator(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The gradient of BCE(real, 1) + BCE(fake, 0), when the optimizer moves the discriminator, and the loss reported."""
    return _first(_discriminator, values, inputs)


def _discriminator(values: Arrays, inputs: Arrays) -> Symptom | None:
    found = _of(1, values, inputs)
    if not found:
        return Symptom("the discriminator is never updated")
    losses = []
    for step, update in found:
        if sorted(set(update.kinds)) != ["fake", "real"]:
            return Symptom(
                f"before its update in step {step} the discriminator is shown {_list(update.kinds)}, expected a real and a fake batch"
            )
        real, fake = (update.batches[update.kinds.index(kind)].pixels for kind in ("real", "fake"))
        expected, slips = discriminator_gradients(real, fake, *update.before[_D])
        if symptom := _differs(step, "discriminator", update.gradient[_D], expected, update.left[_D], slips):
            return symptom
        losses.append(bce(real, 1, *update.before[_D]) + bce(fake, 0, *update.before[_D]))
    return _reported(values, 0, np.array(losses), "L_D")


def generator(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """The gradient of BCE(fake, 1), when the optimizer moves the generator, and the loss reported."""
    return _first(_generator, values, inputs)


def _generator(values: Arrays, inputs: Arrays) -> Symptom | None:
    found = _of(2, values, inputs)
    if not found:
        return Symptom("the generator is never updated")
    losses = []
    for step, update in found:
        if update.kinds != ["fake"]:
            slip = "judged_too_early" if not any(other.kinds for _, other in found) else ""
            text = f"between the discriminator's update and the generator's in step {step}, the discriminator is shown {_list(update.kinds)}"
            return Symptom(f"{text}, expected one batch of fakes", slip)
        (batch,) = update.batches
        if len(batch.pixels) != int(inputs["batch_size"]):
            return Symptom(
                f"the generator is trained on {len(batch.pixels)} fakes, expected BATCH_SIZE = {int(inputs['batch_size'])}"
            )
        expected, slips = generator_gradients(batch, *update.before[_D])
        if symptom := _differs(step, "generator", update.gradient[_G], expected, update.left[_G], slips):
            return symptom
        losses.append(bce(batch.pixels, 1, *update.before[_D]))
        if not (update.after[_D] == update.before[_D]).all():
            return Symptom("the generator's update moves the discriminator")
    return _reported(values, 1, np.array(losses), "L_G")


def _differs(
    step: int,
    network: str,
    got: np.ndarray,
    expected: np.ndarray,
    left: np.ndarray,
    slips: Slips,
) -> Symptom | None:
    if within(_off(got, expected), _allowed(expected), f"gradient of the {network}"):
        return None
    start = f"in step {step} the {network}'s gradient is wrong"
    if left.any() and resembles(_off(got - left, expected), _allowed(expected), f"{network}_not_cleared"):
        return Symptom(
            f"{start}: the old one is still in it, call zero_grad() before backward()", f"{network}_not_cleared"
        )
    for slip, (wrong, sentence) in slips.items():
        if resembles(_off(got, wrong), _allowed(wrong), slip):
            return Symptom(f"{start}: {sentence}", slip)
    return Symptom(f"{start}, off by {np.abs(got - expected).max():.2g}: look at the labels, the sum, zero_grad()")


def _allowed(expected: np.ndarray) -> np.ndarray:
    """On the scale of the whole gradient: where its parts cancel, one of them is as ill-conditioned as the others are large."""
    return np.full(expected.shape, 1e-5 + 1e-3 * np.abs(expected).max())


def _reported(values: Arrays, column: int, expected: np.ndarray, name: str) -> Symptom | None:
    """The losses that went to the curves; a `train` of a student's own may draw its curves elsewhere."""
    if len(values["losses"]) == 0:
        return None
    got, kinds = values["losses"][:, column], values["loss_kinds"][:, column]
    if kinds.any():
        how = (
            "has a gradient: return it with detach()"
            if kinds.max() == 2
            else "is no scalar: return a tensor of shape ()"
        )
        return Symptom(f"{name} comes back, but {how}")
    if len(got) != len(expected):
        return Symptom(f"{name} comes back {len(got)} times from {len(expected)} steps")
    if got.shape == expected.shape:
        right = [within(abs(a - b), 1e-4 + 1e-3 * abs(b), name) for a, b in zip(got, expected, strict=True)]
        if all(right):
            return None
        if any(right):
            return Symptom(
                f"{name} is another than its step's in step {right.index(False) + 1}: return each step's own loss"
            )
    return Symptom(
        f"{name} is trained on but not returned: return the loss itself, in nats, from its method", "loss_not_returned"
    )


# Codes are known by the tone of their image, a float32 of some millions: two of some hundred are the same once in a thousand games.
_BY_CHANCE = 2


def codes(values: Arrays, reference: Arrays, inputs: Arrays) -> Symptom | None:
    """Draws from N(0, I), new ones for each of the two halves of each step."""
    shown = [batch.codes for batch in read_batches(values, inputs) if batch.kind == "fake"]
    if len(shown) < 2:
        return Symptom(
            "the discriminator is not shown fakes twice a step: once for its update, once for the generator's"
        )
    sizes = np.abs(np.concatenate(shown))
    if np.ptp(sizes) < 1e-3:  # then any two rows may be the same, and no code was used twice
        return Symptom(f"the codes are {sizes.flat[0]:.2f} everywhere, but for their sign: N(0, I) is randn")
    seen: set[bytes] = set()
    for batch in shown:
        rows = {row.tobytes() for row in batch}
        if 2 * len(rows & seen) > len(rows):
            return Symptom(
                "the same codes are used twice: draw new ones for each of the two updates of each step, and set no seed",
                "old_codes",
            )
        seen |= rows
    if len(seen) < len(sizes) - _BY_CHANCE or len(np.unique(np.concatenate(shown)[:, 0])) < 0.9 * len(sizes):
        return Symptom("some images have the same code: draw one code for each")
    halves = (np.concatenate(shown[half::2]).astype(float) for half in (0, 1))  # the discriminator's, the generator's
    if symptom := next(filter(None, map(_not_normal, halves)), None):
        return symptom
    if ("old_codes" in values and values["old_codes"].sum() > _BY_CHANCE) or _come_again(values):
        return Symptom("train draws the same codes when it is called again: fix no seed inside", "seed_fixed_inside")
    pairs = [(one, other) for one, other in zip(shown[::2], shown[1::2], strict=False) if one.shape == other.shape]
    alike = np.concatenate([(one.astype(float) * other).ravel() for one, other in pairs] or [np.zeros(1)])
    if not explained(abs(alike.mean()), 6 / np.sqrt(alike.size), "two halves"):
        return Symptom(
            "the generator's codes depend on the discriminator's of the same step: draw new ones", "old_codes"
        )
    axes = {"updates": "old_codes", "images": "", "dimensions": ""}
    both = [np.stack(half) for half in (shown[::2], shown[1::2]) if len({len(batch) for batch in half}) == 1]
    if symptom := next(filter(None, (not_standard_normal(half.astype(float), axes) for half in both)), None):
        return symptom
    return ends_early(np.concatenate(shown))


def _come_again(values: Arrays) -> bool:
    """Whether a new object draws codes that another one has drawn before it: the first number of each is looked at."""
    drawn = [
        values[f"{part}codes"][:, 0].astype(float)
        for part in ("", "far_0_", "far_1_", "asked_")
        if f"{part}codes" in values
    ]
    first = np.concatenate([codes[:40] for codes in drawn])
    return len(np.unique(first)) < 0.9 * len(first)


def _not_normal(drawn: np.ndarray) -> Symptom | None:
    """What tells codes from draws of N(0, I)."""
    error = 6 / np.sqrt(drawn.size)
    if not explained(abs(drawn.std() - 1), error / np.sqrt(2), "standard deviation"):
        slip = "uniform_codes" if resembles(abs(drawn.std() - 12**-0.5), 0.05, "uniform_codes") else ""
        text = f"the codes have standard deviation {drawn.std():.2f}, expected 1"
        return Symptom(f"{text}: N(0, I) is randn, not rand" if slip else text, slip)
    if not explained(abs(drawn.mean()), error, "mean"):
        return Symptom(f"the codes have mean {drawn.mean():.2f}, expected 0")
    squares = np.square(drawn)
    fourth = np.square(squares).mean() / squares.mean() ** 2  # 3 for a normal draw, 1.8 for a uniform one
    if not explained(max(3 - fourth, 0), 0.7, "fourth moment"):
        return Symptom("the codes are no normal draws: N(0, I) is randn", "uniform_codes")
    spread = np.linalg.norm(drawn, axis=1).std()
    # 0.7 for 64 numbers from N(0, 1)
    if not beyond(spread, 0.1, "alike lengths") or not explained(spread, 1.5, "lengths"):
        text = "all of the same length" if spread < 1 else "not drawn number by number"
        return Symptom(
            f"the codes are {text}: N(0, I) is randn(count, CODE_SIZE), and nothing after it", "shaped_codes"
        )
    return None


def _list(kinds: list[str]) -> str:
    return ", ".join(kinds[:6]) if kinds else "nothing"
