"""Notebook 2: the solved version runs, its checks pass right answers written differently and name the usual slips."""

import zipfile

import pytest
import yaml

from assignments.airfoil_vae.numbers import MODEL, TRAIN
from tests.predictions import disagreements
from tests.solved.one_run import OneRun
from tools.notebook_source import read_source
from tools.notebooks import student_notebook
from utils.datasets.airfoils import AirfoilDataset
from utils.exercise.expect import ExpectationError

NAME = "02_airfoil_vae"


# ---------------------------------------------------------------- the notebook as a whole


class TestTheRun(OneRun):
    """What holds of every solved notebook."""


def printed(notebook, first_line: str) -> str:
    cells = [cell for cell in notebook.cells if cell.source.startswith(first_line)]
    return "".join(out.text for cell in cells for out in cell.get("outputs", []) if out.output_type == "stream")


def test_what_a_prediction_calls_right_is_what_the_run_shows(executed):
    assert disagreements(NAME, executed[0]) == []


def test_every_visible_check_passes(executed):
    lines = [
        line
        for line in printed(executed[0], "# TEST").split("\n")
        if line
        and "So far the tests of " not in line
        and not line.startswith("Prediction ")
        and not line.endswith("another test.")
    ]
    assert len(lines) >= 30
    assert [line for line in lines if not line.endswith("passed")] == [
        "Encoder(200, [64, 32], 10) has 15,604 parameters"
    ]


def test_no_cell_leaves_a_pile_of_outputs(executed):
    """Live curves are one picture in the saved notebook, however often they were drawn."""
    cells = [cell for cell in executed[0].cells if cell.cell_type == "code"]
    assert max(sum("image/png" in output.get("data", {}) for output in cell.outputs) for cell in cells) == 2
    pictures = [
        out for cell in executed[0].cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})
    ]
    assert len(pictures) == 17


def test_beta_does_in_the_notebook_what_its_text_says(executed):
    lines = [line for line in printed(executed[0], "betas = ").split("\n") if "KL" in line]
    kl = [float(line.split("KL ")[1].split()[0]) for line in lines]
    assert kl == sorted(kl, reverse=True)
    assert kl[-1] < 0.1 < 1 < kl[0]


def test_the_last_cell_packs_the_notebook_and_both_configs(executed):
    _, folder = executed
    with zipfile.ZipFile(folder / f"{NAME}_submission.zip") as archive:
        names = [f"{NAME}.ipynb", "02_wings.gif", "model_config.yaml", "train_config.yaml"]
        assert sorted(archive.namelist()) == sorted(names)
        model_config, train_config = (
            yaml.safe_load(archive.read(f"{part}_config.yaml")) for part in ("model", "train")
        )
    assert model_config == MODEL
    assert {name: train_config[name] for name in TRAIN} == TRAIN  # FAST shortens the run, not what is handed in


def test_what_is_ours_is_said_and_makes_no_poster(executed):
    said = printed(executed[0], "").count("weights of ours from here on, trained on airfoils")
    assert said == 5 + 1 + 1 + 2  # betas, the warm-up, the design, two beside it
    text = printed(executed[0], "save_yaml(model_config")
    assert "Poster: this shows weights of ours" in text
    assert not (executed[1] / "poster.pdf").exists()


def test_a_slider_stands_still_where_no_kernel_answers(executed):
    """The picture is an output of its own: a page without widgets shows it."""
    cells = [cell for cell in executed[0].cells if cell.cell_type == "code" and ".show()" in cell.source]
    moving = [cell for cell in cells if "sliders(" in cell.source or "Movable(" in cell.source]
    assert len(moving) == 3
    for cell in moving:
        kinds = [set(output.data) for output in cell.outputs if output.output_type == "display_data"]
        assert "image/png" in kinds[0]
        assert "application/vnd.jupyter.widget-view+json" not in kinds[0]
        assert "application/vnd.jupyter.widget-view+json" in kinds[1]


def test_the_student_version_stops_at_the_first_gap():
    import torch
    from torch import nn

    namespace = {"torch": torch, "nn": nn}
    cell = next(cell for cell in student_notebook(NAME).cells if cell.source.startswith("# AUTOGRADED"))
    exec(cell.source, namespace)
    with pytest.raises(NotImplementedError, match="Encoder: gap 1 of 2 is still open"):
        namespace["Encoder"](200, [8], 10)


# ---------------------------------------------------------------- one check at a time


def run_check(word: str, old: str, new: str) -> None:
    """Run the cells up to a task's `# TEST` cells, with a part of the solution's cell replaced."""
    namespace: dict = {"dataset": AirfoilDataset()}
    was_asked = False
    for cell in read_source(NAME).cells:
        if was_asked and cell.role not in ("test", "text"):
            return
        if cell.role not in ("imports", "autograded") and not (cell.role == "test" and was_asked):
            continue
        text = cell.text
        if cell.tag[1] == word:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {word}"
            text, was_asked = text.replace(old, new), True
        exec(compile(text, f"<{word}>", "exec"), namespace)
    raise AssertionError(f"no task {word}, or nothing after it")


HEAD = "nn.Linear(widths[-1], 2 * latent_size))"
CHUNK = "mu, logvar = self.layers(y).chunk(2, dim=-1)"
DRAW = "z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)"
PRIOR = "prior_loss = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1).mean()"
TOTAL = "total_loss = rec_loss + beta * prior_loss"
STEP = "            elif scheduler is not None:\n                scheduler.step()\n"

RIGHT = {
    "two heads": (
        "Encoder",
        f"self.layers = nn.Sequential(*layers, {HEAD}",
        "self.body = nn.Sequential(*layers)\n"
        "        self.mean, self.spread = nn.Linear(widths[-1], latent_size), nn.Linear(widths[-1], latent_size)\n"
        "        self.layers = lambda y: torch.cat([self.mean(self.body(y)), self.spread(self.body(y))], 1)",
    ),
    "another activation and batch norm": ("Encoder", "nn.LeakyReLU()]", "nn.BatchNorm1d(n_out), nn.Tanh()]"),
    "slices": (
        "Encoder",
        CHUNK,
        "out = self.layers(y)\n        mu, logvar = out[:, :out.shape[1] // 2], out[:, out.shape[1] // 2:]",
    ),
    "module list": (
        "Decoder",
        "self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], output_size))",
        "self.parts = nn.ModuleList([*layers, nn.Linear(widths[-1], output_size)])\n"
        "        self.layers = lambda z: [z := part(z) for part in self.parts][-1]",
    ),
    "std first": ("VAE", DRAW, "std = logvar.exp().sqrt()\n        z = torch.normal(0.0, 1.0, mu.shape) * std + mu"),
    "kl by its other formula": (
        "train_VAE",
        PRIOR,
        "prior_loss = torch.mean(-0.5 * torch.sum(1 + logvar - mu.pow(2) - torch.exp(logvar), -1))",
    ),
    "gradients cleared after the step": (
        "train_VAE",
        "            optimizer.zero_grad()\n            total_loss.backward()\n            optimizer.step()\n",
        "            total_loss.backward()\n            optimizer.step()\n            model.zero_grad()\n",
    ),
}

WRONG = {
    "activation at the end": ("Encoder", HEAD, HEAD[:-1] + ", nn.ReLU())", "No activation at the end"),
    "one half only": ("Encoder", HEAD, "nn.Linear(widths[-1], latent_size))", "shape (5, 5), expected (5, 10)"),
    "split along the batch": ("Encoder", "dim=-1", "dim=0", "expected (5, 10)"),
    "no activation": ("Encoder", "[nn.Linear(n_in, n_out), nn.LeakyReLU()]", "[nn.Linear(n_in, n_out)]", "not linear"),
    "same half twice": ("Encoder", CHUNK, "mu = logvar = self.layers(y)[:, :10]", "Two different halves"),
    "plain list": (
        "Encoder",
        f"self.layers = nn.Sequential(*layers, {HEAD}",
        f"parts = [*layers, {HEAD[:-1]}]\n        self.layers = lambda y: [y := part(y) for part in parts][-1]",
        "a plain list are not part",
    ),
    "another width": ("Decoder", "*hidden_dims]", "*hidden_dims[:1] * 2]", "weights have the sizes [[10, 48], [48, 48]"),
    "reversed in place": (
        "Decoder",
        "widths = [latent_size, *hidden_dims]",
        "hidden_dims.reverse()\n        widths = [latent_size, *hidden_dims]",
        "Leave the list you were given as it is",
    ),
    "sigmoid": ("Decoder", "y_hat = self.layers(z)", "y_hat = torch.sigmoid(self.layers(z))", "no activation at the end"),
    "variance for sigma": ("VAE", "torch.exp(logvar / 2)", "torch.exp(logvar)", "multiply the noise by the variance"),
    "logvar for sigma": ("VAE", "torch.exp(logvar / 2)", "logvar", "by logvar itself"),
    "no noise": ("VAE", DRAW, "z = mu", "There is no noise in z"),
    "one noise for a row": ("VAE", "torch.randn_like(mu)", "torch.randn_like(mu[:, :1])", "needs its own noise"),
    "uniform noise": ("VAE", "torch.randn_like(mu)", "torch.rand_like(mu)", "mean of z"),
    "not seeded": ("VAE", "        torch.manual_seed(seed)\n", "", "comes before the draw"),
    "seed ignored": ("VAE", "torch.manual_seed(seed)", "torch.manual_seed(0)", "Use the argument seed"),
    "not in eval mode": ("VAE", "        self.decoder.eval()\n", "", "before you decode"),
    "uniform prior": ("VAE", "z = torch.randn(n_samples", "z = torch.rand(n_samples", "the prior N(0, I)"),
    "gradients kept": ("VAE", "    @torch.inference_mode()\n", "", "@torch.inference_mode()"),
    "kl mean over latent": ("train_VAE", ".sum(dim=1).mean()", ".mean()", "sum over them"),
    "kl sum over batch": ("train_VAE", ".sum(dim=1).mean()", ".sum()", "sum over the batch"),
    "kl sign": ("train_VAE", "prior_loss = 0.5", "prior_loss = -0.5", "wrong sign"),
    "kl without half": ("train_VAE", "prior_loss = 0.5 * ", "prior_loss = ", "1/2 is missing"),
    "beta ignored": ("train_VAE", TOTAL, "total_loss = rec_loss + prior_loss", "beta has no effect"),
    "beta on the other term": ("train_VAE", TOTAL, "total_loss = beta * rec_loss + prior_loss", "the wrong term"),
    "no zero_grad": ("train_VAE", "            optimizer.zero_grad()\n", "", "optimizer.zero_grad()"),
    "no step": ("train_VAE", "            optimizer.step()\n", "", "optimizer.step()"),
    "scheduler never steps": ("train_VAE", STEP, "", "after each iteration"),
}  # fmt: skip


@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_a_right_answer_written_differently_passes(case):
    run_check(*RIGHT[case])


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_usual_slip_is_named(case):
    word, old, new, sentence = WRONG[case]
    with pytest.raises(ExpectationError) as caught:
        run_check(word, old, new)
    assert sentence in str(caught.value), str(caught.value)


def test_a_plateau_scheduler_without_its_number_is_found():
    with pytest.raises(TypeError, match="metrics"):
        run_check("train_VAE", "if isinstance(scheduler, ReduceLROnPlateau):", "if False:")
