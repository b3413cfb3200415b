"""Notebook 4: the solved version runs, its checks pass right answers written differently and name the usual slips."""

import re
import zipfile

import numpy as np
import pytest

from tests.predictions import disagreements
from tests.solved.one_run import OneRun
from tools.notebook_source import read_source
from tools.notebooks import student_notebook
from utils import Checkpoint, CIFAR10Dataset, GAN_Tracker, code_digest, images_0_1, load_pretrained, set_seed
from utils.datasets.scenes import draw_scenes
from utils.exercise.expect import ExpectationError

NAME = "04_cifar_dcgan"


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory):
    """Drawn scenes under the name of the excerpt of CIFAR-10: no download is tried."""
    folder = tmp_path_factory.mktemp("data")
    train, test = draw_scenes(1280, 0), draw_scenes(1000, 1)
    arrays = {"x_train": train[0], "y_train": train[1], "x_test": test[0], "y_test": test[1]}
    np.savez(folder / "cifar10_head.npz", **{name: value.numpy() for name, value in arrays.items()})
    return folder


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
        if line and not line.startswith(("So far ", "Prediction "))
    ]
    assert len(lines) >= 50
    assert all(line.endswith("passed") for line in lines), lines


def test_no_cell_leaves_a_pile_of_outputs(executed):
    assert max(len(cell.outputs) for cell in executed[0].cells if cell.cell_type == "code") <= 8


def test_both_trainings_leave_a_checkpoint_to_go_on_from(executed):
    folder = executed[1] / "checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == ["dcgan-short.pt", "dcgan-spectral-short.pt"]


def test_batch_norm_hides_contrast_and_brightness(executed):
    lines = printed(executed[0], "set_seed(SEED)\nconvolution").strip().split("\n")
    plain, normalised = (float(re.search(r"by ([\d.]+) standard", line)[1]) for line in lines)
    assert plain > 0.1
    assert normalised < 0.01


def test_the_search_reconstructs_test_images(executed):
    text = printed(executed[0], "targets = test_data")
    assert float(re.search(r"64 test images after 100 steps: ([\d.]+)", text)[1]) < 0.145


def test_activation_maximisation_pleases_the_discriminator(executed):
    before, after = map(
        float,
        re.search(
            r"mean logit before: (-?[\d.]+), after: (-?[\d.]+)", printed(executed[0], "def maximise_activation")
        ).groups(),
    )
    assert after > before + 1


def test_the_last_cell_packs_the_notebook_and_both_pictures(executed):
    text = printed(executed[0], "hand_in(")
    with zipfile.ZipFile(executed[1] / f"{NAME}_submission.zip") as archive:  # with FAST no weights: they are ours
        assert sorted(archive.namelist()) == [f"{NAME}.ipynb", "04_reconstructions.png", "04_samples.png"]
    assert "Every graded cell and every response has an answer." in text


def test_what_is_ours_is_said_and_makes_no_poster(executed):
    said = printed(executed[0], "").count("weights of ours from here on")
    assert said == 3  # the two trainings, and those of the searches
    assert printed(executed[0], "save_weights(").count("holds weights of ours, and is left out") == 3
    assert "Poster: this shows weights of ours" in printed(executed[0], "hand_in(")


def test_the_student_version_stops_at_the_first_gap():
    namespace = prepare({}, upto="init")
    cell = next(cell for cell in student_notebook(NAME).cells if cell.source.startswith("# AUTOGRADED"))
    exec(cell.source, namespace)
    with pytest.raises(NotImplementedError, match="init: gap 1 of 2 is still open"):
        namespace["DCGAN"]()


# ---------------------------------------------------------------- training goes on where it was interrupted


def test_interrupted_and_resumed_training_ends_with_the_same_weights(tmp_path):
    """The notebook's own class and networks, in the arithmetic this machine chooses."""
    names = prepare({}, upto="reconstruct")
    names["NUM_EPOCHS"], names["BATCH_SIZE"] = 3, 16
    images = draw_scenes(40, 0)[0]

    def make(checkpointed):
        set_seed(0)
        gan = names["DCGAN"]()
        gan.tracker = GAN_Tracker(3, is_silent=True)
        if checkpointed:
            code = code_digest(names["DCGAN"], "__init__", "_update_discriminator", "_update_generator")
            gan.checkpoint = Checkpoint(tmp_path / "gan.pt", code=code)
        return gan

    def train(gan, stop_at=None):
        steps = []
        step = gan.train_step

        def counted(real):
            steps.append(real)
            if len(steps) == stop_at:
                raise KeyboardInterrupt
            return step(real)

        gan.train_step = counted
        with names["accelerated"](gan._generator, gan._discriminator):
            gan.train(images)
        return gan

    undisturbed = train(make(checkpointed=False))
    with pytest.raises(KeyboardInterrupt):
        train(make(checkpointed=True), stop_at=4)  # in the second epoch of two steps each
    resumed = make(checkpointed=True)
    set_seed(123)  # whatever happened in between
    train(resumed)
    for network in ("_generator", "_discriminator"):
        other = getattr(undisturbed, network).state_dict()
        for name, value in getattr(resumed, network).state_dict().items():
            assert value.equal(other[name]), f"{network}.{name}"
    assert resumed.tracker.d_losses == undisturbed.tracker.d_losses


# ---------------------------------------------------------------- one check at a time


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture
def train_data(data_folder, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(data_folder))
    return CIFAR10Dataset(limit=256)


def prepare(answers: dict[str, str], upto: str) -> dict:
    """The names of the notebook after the autograded cell `upto`, with some answers in place of the solution's."""
    namespace: dict = {"__name__": NAME}
    for cell in read_source(NAME).cells:
        if cell.role in ("imports", "given", "autograded"):
            text = answers.get(cell.tag[1], cell.text) if cell.role == "autograded" else cell.text
            exec(compile(text, f"<cell {cell.number}>", "exec"), namespace)
            if cell.role == "autograded" and cell.tag[1] == upto:
                break
    return namespace


def run_check(word: str, answer: str, train_data, vis_steps: int = 100) -> None:
    """Run one task's `# TEST` with an answer in place of the solution's."""
    namespace = prepare({word: answer}, upto=word)
    namespace.update(train_data=train_data, VIS_STEPS=vis_steps)
    if answer != WHOLE:  # which has its own constants, as answers from elsewhere do
        namespace["BATCH_SIZE"] = 16
    if word == "reconstruct":  # the networks are trained by then
        namespace["gan"] = namespace["DCGAN"]()
        load_pretrained(namespace["gan"]._generator, "dcgan_generator")
    cells = read_source(NAME).cells
    asked = next(index for index, cell in enumerate(cells) if cell.role == "autograded" and cell.tag[1] == word)
    check = next(cell for cell in cells[asked:] if cell.role == "test")
    exec(compile(check.text, f"<cell {check.number}>", "exec"), namespace)


def solution(word: str) -> str:
    return next(cell.text for cell in read_source(NAME).cells_of("autograded") if cell.tag[1] == word)


# The whole class in one cell, in the style of the course this exercise comes from; it goes into any of the cells.
WHOLE = """
class DCGAN:
    def __init__(self):
        self._num_epoch = 3
        self._batch = 128
        self._generator = Generator(64).to(device)
        self._discriminator = Discriminator().to(device)
        self._generator.apply(self.weights_init)
        self._discriminator.apply(self.weights_init)
        self.gen_opt = optim.Adam(self._generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.dis_opt = optim.Adam(self._discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self._classification_loss = nn.BCEWithLogitsLoss()
        self._reconstruction_loss = nn.MSELoss()

    def weights_init(self, m):
        name = m.__class__.__name__
        if name.find("Conv") != -1:
            m.weight.data.normal_(0.0, 0.02)
        elif name.find("BatchNorm") != -1:
            m.weight.data.normal_(1.0, 0.02)
            m.bias.data.fill_(0)

    def train(self, train_samples):
        ones, zeros = torch.ones([128, 1], device=device), torch.zeros([128, 1], device=device)
        self._generator.train()
        self._discriminator.train()
        for epoch in range(self._num_epoch):
            np.random.shuffle(train_samples)
            for i in range(train_samples.shape[0] // self._batch):
                batch = torch.Tensor(train_samples[i * self._batch : (i + 1) * self._batch]).to(device)
                self.dis_opt.zero_grad()
                loss_real = self._classification_loss(self._discriminator(batch), ones)
                loss_real.backward()
                fake = self._generator(torch.randn([128, 64], device=device))
                loss_fake = self._classification_loss(self._discriminator(fake.detach()), zeros)
                loss_fake.backward()
                self.dis_opt.step()
                self.gen_opt.zero_grad()
                fake = self._generator(torch.randn([128, 64], device=device))
                self._classification_loss(self._discriminator(fake), ones).backward()
                self.gen_opt.step()

    def reconstruct(self, samples):
        recon_code = torch.zeros([samples.shape[0], 64], device=device, requires_grad=True)
        samples = torch.tensor(samples, device=device, dtype=torch.float32)
        self._generator.eval()
        optimizer = optim.Adam([recon_code], lr=1e-2)
        for i in range(VIS_STEPS):
            optimizer.zero_grad()
            recon = self._generator(recon_code)
            loss = self._reconstruction_loss(recon, samples)
            loss.backward()
            optimizer.step()
        return loss, recon.detach().cpu()
"""


def edited(word: str, *changes: tuple[str, str]) -> str:
    """The solution of a task with some of its text replaced."""
    text = solution(word)
    for old, new in changes:
        assert old in text, f"{word}: the solution no longer has {old!r}"
        text = text.replace(old, new)
    return text


RIGHT = {
    "init, a whole class": ("init", lambda: WHOLE),
    "init, walking over modules": (
        "init",
        lambda: edited(
            "init",
            ("self._generator.apply(self._init_weights)", "[self._init_weights(m) for m in self._generator.modules()]"),
            ("nn.init.zeros_(layer.bias)", "layer.bias.data *= 0"),
        ),
    ),
    "train, a whole class": ("train", lambda: WHOLE),
    "train, no_grad and softplus": (
        "train",
        lambda: edited(
            "train",
            (
                "fake = self._generator(draw_codes(len(real))).detach()",
                "with torch.no_grad():\n            fake = self._generator(torch.randn(len(real), 64, device=device))",
            ),
            ("self._classification_loss(fake_logits, torch.zeros_like(fake_logits))", "F.softplus(fake_logits).mean()"),
        ),
    ),
    "spectral, written out, older function": (
        "spectral",
        lambda: (
            "class SpectralDiscriminator(nn.Module):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        sn = nn.utils.spectral_norm\n"
            "        self.a = sn(nn.Conv2d(3, 32, 4, 2, 1))\n"
            "        self.b, self.bn = sn(nn.Conv2d(32, 64, 4, 2, 1)), nn.BatchNorm2d(64)\n"
            "        self.c, self.cn = sn(nn.Conv2d(64, 128, 4, 2, 1)), nn.BatchNorm2d(128)\n"
            "        self.fc = nn.Linear(2048, 1)\n"
            "    def forward(self, x):\n"
            "        x = F.leaky_relu(self.a(x))\n"
            "        x = F.leaky_relu(self.bn(self.b(x)))\n"
            "        return self.fc(F.leaky_relu(self.cn(self.c(x))).reshape(-1, 2048))\n"
        ),
    ),
    "reconstruct, a whole class": ("reconstruct", lambda: WHOLE),
    "reconstruct, images alone, own mean": (
        "reconstruct",
        lambda: edited(
            "reconstruct",
            ("return F.mse_loss(generated, target)", "return ((generated - target) ** 2).mean()"),
            ("return loss, images.cpu()", "return images.cpu()"),
        ),
    ),
}

WRONG = {
    "init, Adam's own rate": ("init", [('"lr": self._learning_rate, ', "")], "1e-3 is Adam's default"),
    "init, Adam's own betas": ("init", [(', "betas": ADAM_BETAS', "")], "Pass betas"),
    "init, variance": ("init", [("mean=0.0, std=0.02", "mean=0.0, std=0.02**0.5")], "no variance"),
    "init, transposed forgotten": ("init", [("(nn.Conv2d, nn.ConvTranspose2d)", "nn.Conv2d")], "still are PyTorch's"),
    "init, one network": (
        "init",
        [("        self._discriminator.apply(self._init_weights)\n", "")],
        "still are PyTorch's",
    ),
    "init, batch norm around 0": ("init", [("mean=1.0, std", "mean=0.0, std")], "switch the layer off"),
    "init, batch norm forgotten": ("init", [("nn.BatchNorm2d", "nn.BatchNorm1d")], "Draw scales, zero shifts"),
    "init, linear too": ("init", [("nn.ConvTranspose2d)", "nn.ConvTranspose2d, nn.Linear)")], "leave them as they are"),
    "init, no logits": ("init", [("BCEWithLogitsLoss()", "BCELoss()")], "logits are no probabilities"),
    "init, summed": ("init", [("BCEWithLogitsLoss()", 'BCEWithLogitsLoss(reduction="sum")')], "take the mean"),
    "init, one optimizer": (
        "init",
        [("optim.Adam(self._discriminator.parameters()", "optim.Adam(self._generator.parameters()")],
        "no optimizer holds exactly the parameters of Discriminator",
    ),
    "init, AdamW": ("init", [("optim.Adam(self._g", "optim.AdamW(self._g")], "optimizer is 'AdamW'"),
    "train, labels swapped": (
        "train",
        [
            ("torch.ones_like(real_logits)", "torch.zeros_like(real_logits)"),
            ("torch.zeros_like(fake_logits)", "torch.ones_like(fake_logits)"),
        ],
        "the wrong way round",
    ),
    "train, averaged": ("train", [("real_loss + fake_loss", "(real_loss + fake_loss) / 2")], "descends their sum"),
    "train, not detached": ("train", [(".detach()\n        fake_logits", "\n        fake_logits")], "Detach the fakes"),
    "train, joined batch": (
        "train",
        [
            ("        real_logits = self._discriminator(real)  # (B, 1)\n", ""),
            (
                "fake_logits = self._discriminator(fake)",
                "real_logits, fake_logits = self._discriminator(torch.cat([real, fake])).chunk(2)",
            ),
        ],
        "shares its batch norm",
    ),
    "train, only real": (
        "train",
        [("loss = real_loss + fake_loss", "loss = real_loss + 0 * fake_loss")],
        "only the real",
    ),
    "train, D not cleared": (
        "train",
        [("        self._discriminator_optimizer.zero_grad()\n", "")],
        "call zero_grad() before backward()",
    ),
    "train, G not cleared": (
        "train",
        [("        self._generator_optimizer.zero_grad()\n", "")],
        "call zero_grad() before backward()",
    ),
    "train, G labelled fake": ("train", [("torch.ones_like(logits)", "torch.zeros_like(logits)")], "labelled fake (0)"),
    "train, saturating": (
        "train",
        [
            (
                "self._classification_loss(logits, torch.ones_like(logits))",
                "-self._classification_loss(logits, torch.zeros_like(logits))",
            )
        ],
        "ascends the loss",
    ),
    "train, G moves D": (
        "train",
        [("self._generator_optimizer.step()", "self._discriminator_optimizer.step()")],
        "who is updated",
    ),
    "train, G never moves": ("train", [("        self._generator_optimizer.step()\n", "")], "who is updated"),
    "spectral, nothing": (
        "spectral",
        [("nn.utils.parametrizations.spectral_norm(layer)", "layer")],
        "is not normalised",
    ),
    "spectral, first only": ("spectral", [("isinstance(layer, nn.Conv2d)", "index == 0")], "is not normalised"),
    "spectral, weight norm": (
        "spectral",
        [("parametrizations.spectral_norm", "parametrizations.weight_norm")],
        "is not normalised",
    ),
    "spectral, linear too": (
        "spectral",
        [
            (
                "        for index",
                "        self.fc = nn.utils.parametrizations.spectral_norm(self.fc)\n        for index",
            )
        ],
        "Only the convolutions",
    ),
    "reconstruct, sum": (
        "reconstruct",
        [("F.mse_loss(generated, target)", "((generated - target) ** 2).sum()")],
        "take the mean",
    ),
    "reconstruct, absolute": ("reconstruct", [("F.mse_loss(", "F.l1_loss(")], "square them"),
    "reconstruct, random start": ("reconstruct", [("torch.zeros(len", "torch.randn(len")], "Start from zeros"),
    "reconstruct, training mode": ("reconstruct", [("        self._generator.eval()\n", "")], "Call eval()"),
    "reconstruct, moves weights": (
        "reconstruct",
        [("optim.Adam([codes]", "optim.Adam([codes, *self._generator.parameters()]")],
        "the codes alone",
    ),
    "reconstruct, never steps": ("reconstruct", [("            optimizer.step()\n", "")], "Do the codes move?"),
}


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor:UserWarning")  # as published
@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_a_right_answer_written_differently_passes(case, train_data, capsys):
    word, answer = RIGHT[case]
    run_check(word, answer(), train_data)
    lines = [line for line in capsys.readouterr().out.split("\n") if "passed" in line]
    assert len(lines) >= 3


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_usual_slip_is_named(case, train_data):
    word, changes, sentence = WRONG[case]
    with pytest.raises(ExpectationError) as caught:
        run_check(word, edited(word, *changes), train_data, vis_steps=20)
    assert sentence in str(caught.value), str(caught.value)


def test_the_given_loop_takes_bytes_and_floats_alike():
    names = prepare({}, upto="train")
    names["NUM_EPOCHS"], names["BATCH_SIZE"] = 1, 16
    images = draw_scenes(16, 0)[0]
    ends = []
    for samples in (images, images.numpy(), images_0_1(images), images_0_1(images).numpy()):
        set_seed(0)
        gan = names["DCGAN"]()
        gan.train(samples)
        ends.append(gan._generator.fc.weight.detach().clone())
    assert all(end.equal(ends[0]) for end in ends)
