"""Notebook 4's checks: what the slips and right answers in files do not reach."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support import answers

from assignments.cifar_dcgan import probes
from assignments.cifar_dcgan.checks import search
from assignments.cifar_dcgan.checks.gradients import discriminator_gradients, generator_gradients
from assignments.cifar_dcgan.checks.trace import Batch
from grader.authoring.adam import adam_path
from grader.authoring.check import load_checks
from grader.authoring.judges import judged
from grader.rubric import load_rubric
from grader.stages.pipeline import Grader
from tests.behaviour.bare import Bare, run_bare
from tests.validity import right_answers
from utils.assignments.places import place_of

NAME = "04_cifar_dcgan"
RIGHT = right_answers(NAME)
WHOLE = next(variant.source for variant in RIGHT if variant.name == "whole_class")


class Names(dict):
    """A notebook's namespace, as the sandbox shows it to probes."""

    def patched(self, **values: object) -> None:
        self.update(values)


def marks(grader: Grader, replaced: dict[str, str]) -> dict[str, tuple[float, str]]:
    report = grader.grade_bytes(answers(NAME, replaced), "answers.ipynb", "student")
    assert report.rejection + report.fault == ""
    return {v.check: (v.points, v.sentence) for v in report.verdicts if v.status != "manual"}


def solution(task: str) -> str:
    return next(cell.source for cell in load_rubric(NAME).references.solution if cell.tasks == (task,))


def test_one_class_in_all_three_cells_gets_full_marks(grader: Grader) -> None:
    got = marks(grader, dict.fromkeys(("gan.init", "gan.train", "gan.reconstruct"), WHOLE))
    assert sum(points for points, _ in got.values()) == 36, [
        sentence for points, sentence in got.values() if not points
    ]


def test_a_constructor_that_fails_costs_only_its_own_question(grader: Grader) -> None:
    got = marks(
        grader,
        {
            "gan.init": "class DCGAN:\n    tracker = checkpoint = None\n    def __init__(self):\n        raise ValueError('no')"
        },
    )
    assert {check for check, (points, _) in got.items() if not points} == {
        check.name for check in load_checks(NAME) if check.task == "gan.init"
    }


@pytest.mark.parametrize(
    ("old", "new", "check", "said"),
    [
        ("real_logits = self._discriminator(real)", "real_logits = self._discriminator(2 * real - 1)", "batches", "neither the given ones"),
        ("logits = self._discriminator(self", "self._generator.eval(); logits = self._discriminator(self", "batches", "evaluation mode"),
        ("draw_codes(batch_size)", "draw_codes(1).repeat(batch_size, 1)", "codes", "one code for each"),
        ("draw_codes(batch_size)", "3 * draw_codes(batch_size)", "codes", "standard deviation"),
        ("draw_codes(batch_size)", "0.6 + draw_codes(batch_size)", "codes", "expected 0"),
        ("draw_codes(batch_size)", "draw_codes(2)", "generator", "2 fakes"),
        ("draw_codes(batch_size)", "12**0.5 * (torch.rand(batch_size, CODE_SIZE) - 0.5)", "codes", "no normal draws"),
        ("return loss.detach()", "return None", "discriminator", "not returned"),
        ("real_logits = self._discriminator(real)", "real_logits = self._discriminator(real.flip(-1))", "batches", "neither the given ones"),
        ("loss.backward()", "loss.backward(); self._generator_optimizer.param_groups[0]['lr'] = 1e-2", "updates", "does not move as its Adam"),
        ("self.train_step(images_0_1(batch))", "self.train_step(batch)", "updates", "does not play that epoch"),
        ("save(self, epoch + 1)", "save(self, epoch)", "updates", "saves after epochs [2], expected [3]"),
        ("self.tracker.update(d_loss, g_loss)", "pass", "updates", "not told the losses"),
        ("            self._discriminator.train()\n", "", "updates", "evaluation mode that was in it before"),
    ],
)  # fmt: skip
def test_rarer_slips_of_the_step_are_told(grader: Grader, old: str, new: str, check: str, said: str) -> None:
    cell = solution("gan.train")
    assert old in cell
    points, sentence = marks(grader, {"gan.train": cell.replace(old, new)})[f"gan.train.{check}"]
    assert points == 0
    assert said in sentence


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("NUM_EPOCHS, BATCH_SIZE, CODE_SIZE\n", "BATCH_SIZE, NUM_EPOCHS, CODE_SIZE\n", "self._num_epochs is 128, expected 25"),
        ("draw_codes(NUM_TRACKED)", "NUM_TRACKED", "self._tracked_noise has shape ()"),
        ('"betas": ADAM_BETAS', '"betas": ADAM_BETAS, "maximize": True', "do not move the networks as Adam"),
    ],
)  # fmt: skip
def test_rarer_slips_of_the_constructor_are_told(grader: Grader, old: str, new: str, said: str) -> None:
    cell = solution("gan.init")
    assert old in cell
    points, sentence = marks(grader, {"gan.init": cell.replace(old, new)})["gan.init.optimizers"]
    assert points == 0
    assert said in sentence


@pytest.mark.parametrize("check", ["gan.train.batches", "gan.train.codes"])
def test_tones_that_are_the_same_by_chance_cost_nothing(check: str) -> None:
    """Of some hundred float32 numbers: two of the generator's, and one of its own and one of the given images'."""
    bare = Bare(NAME)
    (call,) = (call for call in bare.public("gan.train") if call.name.startswith(check))
    values = run_bare(bare._job("gan.train", solution("gan.train"), (call,))).runs[call.name].values
    values = {name: value.copy() for name, value in values.items()}
    judge = next(one for one in load_checks(NAME) if one.name == check)
    assert judged(judge, values, {}, call.inputs) is None
    fakes = np.flatnonzero(~np.isin(values["shown"], call.inputs["values"]))
    for which, tone in ((fakes[1], values["shown"][fakes[2]]), (fakes[4], call.inputs["values"][0])):
        values["made"][values["made"] == values["shown"][which]] = tone
        values["shown"][which] = values["shown_rest"][which, :3] = tone
    assert judged(judge, values, {}, call.inputs) is None


def test_the_gradients_are_autograds() -> None:
    """The judges' formulas against torch, through the probe's own networks."""
    torch.manual_seed(3)
    painter, critic = probes.Painter(64), probes.Critic()
    codes, real = torch.randn(7, 64), torch.rand(7)
    loss = F.binary_cross_entropy_with_logits(critic(painter(codes)), torch.ones(7, 1))
    expected = torch.autograd.grad(loss, [painter.scale, painter.shift])
    batch = Batch("fake", painter.made[0].double().numpy(), codes.numpy())
    got, slips = generator_gradients(batch, critic.slope.item(), critic.offset.item())
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)
    assert all(not np.allclose(got, wrong, rtol=1e-2) for wrong, _ in slips.values())

    images, fakes = (values[:, None, None, None].repeat(1, 3, 32, 32) for values in (real, painter.made[0]))
    on_real, on_fake = critic(images), critic(fakes)
    loss = F.binary_cross_entropy_with_logits(on_real, torch.ones(7, 1)) + F.binary_cross_entropy_with_logits(
        on_fake, torch.zeros(7, 1)
    )
    expected = torch.autograd.grad(loss, [critic.slope, critic.offset])
    pixels = real.double().numpy(), painter.made[0].double().numpy()
    got, slips = discriminator_gradients(*pixels, critic.slope.item(), critic.offset.item())
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)
    assert all(not np.allclose(got, wrong, rtol=1e-2) for wrong, _ in slips.values())


def test_idle_layers_have_gradients_of_nothing() -> None:
    """Whoever looks for a parameter without a gradient finds none, and no optimizer moves these."""
    painter, critic = probes.Painter(64), probes.Critic()
    critic(painter(torch.randn(7, 64))).sum().backward()
    for network, own in ((painter, ("scale", "shift")), (critic, ("slope", "offset"))):
        gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
        assert all(
            gradient is not None and gradient.shape == network.get_parameter(n).shape
            for n, gradient in gradients.items()
        )
        assert {name for name, gradient in gradients.items() if gradient.abs().sum() > 0} == {*own}


def test_the_probes_adam_is_the_class_s() -> None:
    """Of the same settings, and to the same places: it moves all parameters at once."""
    one, other = (torch.nn.Parameter(torch.tensor([0.3, -2.0])) for _ in range(2))
    made, plain = torch.optim.SGD([one], lr=9.0), torch.optim.Adam([other], lr=2e-4, betas=(0.5, 0.999))
    probes._make_right(made)
    for push in torch.randn(9, 2, generator=torch.Generator().manual_seed(0)):
        for parameter, optimizer in ((one, made), (other, plain)):
            parameter.grad = push.clone()
            optimizer.step()
    torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-9)


def test_the_mirror_shows_a_code_to_the_judge() -> None:
    codes = torch.linspace(-0.3, 0.3, 192).reshape(3, 64)
    images = probes.Mirror(64).eval()(codes)
    squares = (0.5 + codes).reshape(3, 1, 8, 8).expand(-1, 3, -1, -1)
    assert torch.equal(images, F.interpolate(squares, scale_factor=4))
    kept, tint = {"images": images.detach()[..., ::4, ::4].numpy()}, np.zeros(3)
    inputs = {"codes": codes.numpy(), "tint": tint, "greys": np.array([0.5, 0.5, 1.0])}
    assert search._mse(kept, inputs) < 1e-12
    grey = F.mse_loss(images, torch.full_like(images, 0.5)).item()
    assert search._mse(kept, {**inputs, "codes": 0 * codes.numpy()}) == pytest.approx(grey, rel=1e-4)


def test_an_optimizer_is_found_wherever_it_is_kept() -> None:
    class Game:
        def __init__(self) -> None:
            self._generator, self._discriminator = probes.Painter(64), probes.Critic()
            made = [
                torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999)) for n in (self._generator, self._discriminator)
            ]
            self.first, self.all, self.by_name = made[0], made, {"d": made[1]}

    inputs = {"start": torch.zeros(4), "pushes": torch.tensor([[1.0, -0.3, 0.5, 2.0], [-0.5, 1.0, 0.5, 0.1]])}
    found = probes.optimizers(Names(DCGAN=Game), **inputs)
    assert found["held"].tolist() == [[1, 0, 0], [0, 1, 0]]
    assert found["settings"].tolist() == [pytest.approx([1, 2e-4, 0.5, 0.999, 0, 0])] * 2
    pushes = inputs["pushes"].numpy()
    expected = adam_path(np.zeros(4), lambda _, step: pushes[step], 2, 2e-4, (0.5, 0.999))
    np.testing.assert_allclose(found["moved"], expected[1:], atol=1e-7)


def test_the_reference_files_are_small() -> None:
    assert sum(path.stat().st_size for path in place_of(NAME).references.iterdir()) < 500_000
