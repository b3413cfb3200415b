"""Notebook 3: the solved version runs on stand-in digits, its checks pass other right answers and name the usual slips."""

import ast
import re
import zipfile
from collections import Counter

import pytest

from tests.predictions import disagreements
from tests.solved.one_run import OneRun
from tools.notebook_source import read_source
from utils.assignments import load_assignment
from utils.exercise.expect import ExpectationError

NAME = "03_mnist_vae"


# ---------------------------------------------------------------- the notebook as a whole


class TestTheRun(OneRun):
    """What holds of every solved notebook."""


def printed(notebook, part: str) -> str:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and part in cell.source]
    outputs = [out for cell in cells for out in cell.outputs]
    return "".join(out.text for out in outputs if out.output_type == "stream" and out.name == "stdout")


def test_what_a_prediction_calls_right_is_what_the_run_shows(executed):
    assert disagreements(NAME, executed[0]) == []


def test_every_visible_check_passes(executed):
    lines = [
        line
        for line in printed(executed[0], "# TEST").strip().split("\n")
        if "So far the tests of " not in line
        and not line.startswith("Prediction ")
        and not line.endswith("another test.")
    ]
    passed = [line for line in lines if line.endswith("passed")]
    assert len(passed) >= 70
    assert all(line.endswith("passed") or line.startswith("relative error") for line in lines), lines


def test_the_stand_in_is_announced_once_for_each_part_and_never_mixed(executed):
    text = printed(executed[0], "MNISTDataset(train=True")
    assert text.count("MNIST not found and not downloadable") == 3  # training, test, and the convolutional VAE's images
    assert "MNIST:" not in text


def test_a_reader_of_a_number_sees_which_data_it_is_from(executed):
    assert "data: scikit-learn digits; short run (FAST=1)" in printed(executed[0], "Device: {Device.type}")


def test_every_experiment_shows_its_picture(executed):
    cells = [cell for cell in executed[0].cells if cell.cell_type == "code"]
    pictures = [out for cell in cells for out in cell.outputs if "image/png" in out.get("data", {})]
    assert len(pictures) >= 24
    named = [cell for cell in cells if cell.metadata.get("figure")]
    assert all(any("image/png" in out.get("data", {}) for out in cell.outputs) for cell in named)


def test_collapse_and_its_opposite_show_in_the_kl(executed):
    lines = printed(executed[0], "beta = 10            BCE").split("\n")
    kl = [float(line.split("KL")[1]) for line in lines if line.startswith("beta")]
    assert kl[0] < 1e-2  # beta = 10
    assert kl[1] > 10 * kl[0]  # the tuned beta


def test_the_last_cell_packs_the_notebook_both_pictures_and_the_film(executed):
    assert "Every graded cell and every response has an answer." in printed(executed[0], "hand_in(")
    with zipfile.ZipFile(executed[1] / f"{NAME}_submission.zip") as archive:
        assert sorted(archive.namelist()) == ["03_conditional.png", f"{NAME}.ipynb", "03_plane.gif", "03_vae_beta.png"]


def test_weights_of_ours_are_not_saved_as_a_students_own(executed):
    said = printed(executed[0], "save_weights(")
    assert said.count("holds weights of ours, and is left out") == 6
    assert "No weights were written." in said
    assert not (executed[1] / f"{NAME}.safetensors").exists()


def test_what_is_ours_is_said_and_makes_no_poster(executed):
    said = printed(executed[0], "").count("weights of ours from here on, trained on MNIST")
    assert said == 4 + 2 + 2 + 1  # four of parts 1 and 2, two of the annealing, both of parts 3 and 4, one of part 6
    text = printed(executed[0], "hand_in(")
    assert "Poster: this shows weights of ours" in text


def test_the_evenings_are_as_long_as_the_header_says():
    source, assignment = read_source(NAME), load_assignment(NAME)
    header = next(cell.text for cell in source.cells if "**Time.**" in cell.text)
    points = [int(number) for number in re.findall(r"\((\d+)(?: points)?\)", header.split("**Time.**")[1])]
    parts = dict.fromkeys("12345", 0)
    for question in assignment.questions:
        parts[question.number[0]] += question.points
    assert points == [parts["1"] + parts["2"], parts["3"], parts["4"] + parts["5"]]
    pause = next(cell.text for cell in source.cells if "**A place to pause**" in cell.text)
    assert f"{parts['1']} of its {parts['1'] + parts['2']} points are behind you" in pause
    kinds = Counter(type(ast.parse(cell.text).body[0]).__name__ for cell in source.cells_of("autograded"))
    assert kinds == {"ClassDef": 9, "FunctionDef": 9}
    assert any("nine short classes and nine functions" in " ".join(cell.text.split()) for cell in source.cells)
    assert sum("*Aside.*" in cell.text for cell in source.cells) == 3
    assert sum("**A place to stop: the end of the" in cell.text for cell in source.cells) == 2


# ---------------------------------------------------------------- one check at a time


def run_check(word: str, answer: str) -> None:
    """Run the cells up to a task's `# TEST` cells, with an answer in place of the solution's cell."""
    namespace: dict = {"__name__": "notebook"}
    is_reached = False
    for cell in read_source(NAME).cells:
        if is_reached and cell.role in ("autograded", "code", "given"):
            return
        if cell.tag[1] == word:
            is_reached = True
            exec(compile(answer, f"<{word}>", "exec"), namespace)
        elif cell.role in ("imports", "given", "autograded") or (is_reached and cell.role == "test"):
            exec(compile(cell.text, f"<cell {cell.number}>", "exec"), namespace)
    assert is_reached, f"no task {word}"


def solution(word: str) -> str:
    return next(cell.text for cell in read_source(NAME).cells if cell.tag[1] == word)


def changed(word: str, *changes: tuple[str, str]) -> str:
    """The solution with pieces replaced; every piece must be there."""
    text = solution(word)
    for old, new in changes:
        assert old in text, f"{word} has no {old!r}"
        text = text.replace(old, new)
    return text


ENCODER = """
class Encoder(nn.Module):
    def __init__(self, nz, input_size):
        super().__init__()
        self.one = nn.Linear(input_size, 256)
        self.two = nn.Linear(256, 64)
        self.three = nn.Linear(64, nz)
    def forward(self, x):
        return self.three(F.relu(self.two(F.relu(self.one(x.view(len(x), -1))))))
"""
LOADER = """
def make_loader(dataset, batch_size):
    order = torch.utils.data.RandomSampler(dataset)
    return DataLoader(dataset, batch_sampler=torch.utils.data.BatchSampler(order, batch_size, drop_last=True))
"""
TRAIN = """
def train_autoencoder(model, loader, epochs, learning_rate=1e-3):
    criterion = nn.BCELoss()
    opt = torch.optim.Adam(model.parameters(), learning_rate)
    out = []
    for epoch in range(epochs):
        for batch in loader:
            opt.zero_grad()
            x = batch[0].reshape(len(batch[0]), 1, -1)
            loss = criterion(model(x), x)
            loss.backward(); opt.step(); out.append(loss.item())
    return out
"""
SAMPLES = """
@torch.no_grad()
def sample_images(model, n_samples, nz):
    noise = torch.empty(n_samples, nz).normal_().to(next(model.parameters()).device)
    return model.decoder(noise).view(n_samples, 28, 28)
"""
VAE = """
class VAE(nn.Module):
    def __init__(self, nz, beta=1.0):
        super().__init__()
        self.nz, self.beta = nz, beta
        self.decoder = Decoder(nz, 784)
        self.encoder = Encoder(2 * nz, 784)
    def forward(self, x):
        q = self.encoder(x)
        z = q[:, :self.nz] + torch.exp(q[:, self.nz:]) * torch.randn(len(x), self.nz)
        return {'q': q, 'rec': self.decoder(z)}
    def loss(self, x, outputs):
        mu, ls = torch.split(outputs['q'], outputs['q'].shape[1] // 2, dim=1)
        rec_loss = nn.BCELoss()(outputs['rec'], x)
        kl_loss = -0.5 * torch.mean(1 + 2 * ls - mu.pow(2) - (2 * ls).exp())
        return rec_loss + self.beta * kl_loss, {'rec_loss': rec_loss, 'kl_loss': kl_loss}
    def reconstruct(self, x):
        with torch.no_grad():
            return self.decoder(self.encoder(x)[:, :self.nz]).view(-1, 28, 28)
"""
WEIGHT = """
class KLWeightManager:
    def __init__(self, warm_up_rounds, annealing_rounds):
        self.w, self.a = warm_up_rounds, annealing_rounds
    def __call__(self, epoch):
        if epoch < self.w:
            return 0.0
        if epoch >= self.w + self.a:
            return 1.0
        return (epoch - self.w) / self.a
"""
KL = """
class KLDivergence(nn.Module):
    def forward(self, mu, log_var):
        return torch.mean(-0.5 * torch.sum(1 + log_var - mu ** 2 - log_var.exp(), dim=-1), dim=0)
"""
LINE = """
def interpolate_linear(x, y, steps):
    return torch.stack([x + (y - x) * k / (steps - 1) for k in range(steps)])
"""
LOSS = """
def loss_function(x_hat, x, mu, logvar):
    bce = nn.BCELoss(reduction='sum')(x_hat, x)
    return (bce - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())) / x.shape[0]
"""
ONEHOT = """
def idx2onehot(idx, n):
    assert torch.max(idx).item() < n
    if idx.dim() == 1:
        idx = idx.unsqueeze(1)
    onehot = torch.zeros(idx.size(0), n).to(idx.device)
    onehot.scatter_(1, idx, 1)
    return onehot
"""
GENERATE = """
def generate_images(vae, K=2, n_images=9):
    with torch.no_grad():
        z = torch.randn(1, n_images, K)
        return vae.decode(z).squeeze(0)
"""
REPARAM = """
def reparametrize(mu, logvar):
    return torch.randn(mu.shape).mul(logvar.exp().sqrt()).add(mu)
"""

RIGHT = {
    "Encoder": ENCODER,
    "make_loader": LOADER,
    "train_autoencoder": TRAIN,
    "sample_images": SAMPLES,
    "VAE": VAE,
    "KLWeightManager": WEIGHT,
    "KLDivergence": KL,
    "interpolate_linear": LINE,
    "loss_function": LOSS,
    "idx2onehot": ONEHOT,
    "generate_images": GENERATE,
    "reparametrize": REPARAM,
}

# task, pieces of the solution and what a slip makes of them, a part of the sentence the student must read
WRONG = {
    "encoder without relu": ("Encoder", [("            nn.ReLU(),\n", "")], "without relu between them"),
    "encoder with last relu": (
        "Encoder",
        [("nn.Linear(64, nz),", "nn.Linear(64, nz), nn.ReLU(),")],
        "the last layer has no relu",
    ),
    "encoder other width": ("Encoder", [("64", "128")], "the sizes are 784, 256, 64, 32"),
    "decoder without sigmoid": ("Decoder", [("            nn.Sigmoid(),\n", "")], "a sigmoid belongs behind"),
    "decoder relu before sigmoid": (
        "Decoder",
        [("nn.Sigmoid()", "nn.ReLU(), nn.Sigmoid()")],
        "no relu between the last layer and",
    ),
    "decoder flat": ("Decoder", [(".reshape(-1, 1, self.output_size)", "")], "reshape to (-1, 1, output_size)"),
    "autoencoder picture": ("AutoEncoder", [("reshape(-1, 28, 28)", "reshape(-1, 1, 28, 28)")], "28 rows of 28 pixels"),
    "autoencoder transposed": ("AutoEncoder", [("reshape(-1, 28, 28)", "reshape(-1, 28, 28).mT")], "do not transpose"),
    "loader in order": ("make_loader", [("shuffle=True", "shuffle=False")], "in the order of the data"),
    "loader keeps the rest": ("make_loader", [(", drop_last=True", "")], "the rest of 3 is left out"),
    "training sums": (
        "train_autoencoder",
        [("(model(x), x)", "(model(x), x, reduction='sum')")],
        "a mean over pixels and batch",
    ),
    "training piles up": ("train_autoencoder", [("            optimizer.zero_grad()\n", "")], "they have piled up"),
    "training own rate": (
        "train_autoencoder",
        [("lr=learning_rate", "lr=1e-2")],
        "does the optimizer get learning_rate",
    ),
    "training never steps": ("train_autoencoder", [("optimizer.step()", "pass")], "is step() called once a batch"),
    "samples uniform": ("sample_images", [("torch.randn(", "torch.rand(")], "its namesake with n is normal"),
    "samples with gradient": ("sample_images", [("torch.no_grad()", "torch.enable_grad()")], "inside torch.no_grad()"),
    "samples flat": ("sample_images", [(".reshape(-1, 28, 28)", "")], "expected (2000, 28, 28)"),
    "vae decodes the mean": (
        "VAE",
        [("mu + log_sigma.exp() * torch.randn_like(mu)", "mu")],
        "z is a draw, not the mean",
    ),
    "vae reconstructs a draw": (
        "VAE",
        [("self.decoder(mu)", "self.decoder(mu + torch.randn_like(mu))")],
        "decode the mean, not a draw",
    ),
    "vae kl swapped": (
        "VAE",
        [("(mu, log_sigma, zeros, zeros)", "(zeros, zeros, mu, log_sigma)")],
        "arguments are swapped",
    ),
    "vae kl summed": ("VAE", [("zeros, zeros).mean()", "zeros, zeros).sum(1).mean()")], "summed over the dimensions"),
    "vae bce summed": ("VAE", [(".shape))", ".shape), reduction='sum')")], "the bce is summed"),
    "vae forgets beta": ("VAE", [("self.beta * kl_loss", "kl_loss")], "beta is missing"),
    "vae weights twice": (
        "VAE",
        [(".mean()\n", ".mean() * self.beta\n"), ("+ self.beta * kl_loss", "+ kl_loss")],
        "already weighted by beta",
    ),
    "vae log sigma as log variance": (
        "VAE",
        [("mu + log_sigma.exp()", "mu + (0.5 * log_sigma).exp()")],
        "log variance",
    ),
    "vae log sigma first": ("VAE", [("mu, log_sigma = q.", "log_sigma, mu = q.")], "the mean comes first"),
    "vae loop piles up": ("train_beta_vae", [("            optimizer.zero_grad()\n", "")], "they have piled up"),
    "vae loop without kl": (
        "train_beta_vae",
        [("total.backward()", "terms['rec_loss'].backward()")],
        "minimise the total",
    ),
    "kl over everything": ("KLDivergence", [(".sum(dim=1).mean()", ".mean()")], "averaged over the dimensions too"),
    "kl sum of the batch": ("KLDivergence", [(".sum(dim=1).mean()", ".sum()")], "summed over the batch"),
    "kl of log sigma": (
        "KLDivergence",
        [("log_var.exp()", "(2 * log_var).exp()"), ("- 1 - log_var", "- 1 - 2 * log_var")],
        "log standard deviation",
    ),
    "kl sign": ("KLDivergence", [("0.5 *", "-0.5 *")], "the sign is turned"),
    "weight one early": (
        "KLWeightManager",
        [("(epoch - self.warm_up_rounds)", "(epoch + 1 - self.warm_up_rounds)")],
        "begins one epoch early",
    ),
    "weight ends early": (
        "KLWeightManager",
        [("/ self.annealing_rounds", "/ max(1, self.annealing_rounds - 1)")],
        "ends one epoch early",
    ),
    "weight without warm-up": (
        "KLWeightManager",
        [("(epoch - self.warm_up_rounds)", "epoch")],
        "the warm-up is ignored",
    ),
    "line without its end": (
        "interpolate_linear",
        [("torch.linspace(0, 1, steps, device=x.device)", "(torch.arange(steps) / steps)")],
        "the last point is missing",
    ),
    "line without its ends": (
        "interpolate_linear",
        [("0, 1, steps,", "0, 1, steps + 2,"), (".unsqueeze(1)", "[1:-1].unsqueeze(1)")],
        "both ends are missing",
    ),
    "line backwards": ("interpolate_linear", [("(1 - t) * x + t * y", "t * x + (1 - t) * y")], "from y to x"),
    "draw with the variance": (
        "reparametrize",
        [("torch.exp(0.5 * logvar)", "torch.exp(logvar)")],
        "that is the variance",
    ),
    "draw without sigma": ("reparametrize", [("sigma * torch", "torch")], "sigma is missing"),
    "draw cut off": (
        "reparametrize",
        [("torch.exp(0.5 * logvar)", "torch.exp(0.5 * logvar.detach())")],
        "no .data, no .detach()",
    ),
    "one draw for all": (
        "reparametrize",
        [("torch.randn_like(mu)", "(torch.randn_like(mu) if len(mu) < 5 else torch.randn(1))")],
        "not one number for all",
    ),
    "fc layer missing": (
        "FCVAE",
        [("nn.Linear(input_size, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU()", "nn.Linear(input_size, h), nn.ReLU()")],
        "parameters of encoder",
    ),
    "fc one layer for both": (
        "FCVAE",
        [("self.logvar_layer(hidden)", "self.mu_layer(hidden)")],
        "each has a layer of its own",
    ),
    "fc without sigmoid": ("FCVAE", [("nn.Sigmoid(), ", "")], "a sigmoid belongs before"),
    "fc decodes the mean": ("FCVAE", [("reparametrize(mu, logvar)", "mu")], "decode a draw, not mu"),
    "loss bce mean": ("loss_function", [('x, reduction="sum"', "x")], "the bce is a mean"),
    "loss kl mean": ("loss_function", [("torch.sum(", "torch.mean(")], "the kl is a mean"),
    "loss kl sign": ("loss_function", [("0.5 * torch", "-0.5 * torch")], "the kl has the wrong sign"),
    "loss of the batch": (
        "loss_function",
        [("(rec_loss + kl_loss) / len(x)", "rec_loss + kl_loss")],
        "not divided by the number of images",
    ),
    "one-hot of integers": ("idx2onehot", [(".float()", "")], "float32"),
    "one-hot of what occurs": ("idx2onehot", [("idx.reshape(-1), n", "idx.reshape(-1)")], "expected (2, 4)"),
    "cvae encoder without c": ("CVAE", [("[x.flatten(1), c]", "[x.flatten(1), 0 * c]")], "join c to the flat image"),
    "cvae decoder without c": ("CVAE", [("[z, c]", "[z, 0 * c]")], "join c to z as well"),
    "conv adds kl": ("SimpleVAE", [("log_likelihood.mean() - kl", "log_likelihood.mean() + kl")], "the kl is added"),
    "conv loss": (
        "SimpleVAE",
        [("log_likelihood.mean() - kl.mean()", "kl.mean() - log_likelihood.mean()")],
        "this is a loss",
    ),
    "conv without width": (
        "SimpleVAE",
        [("self.log_sig_x.expand(", "(0 * self.log_sig_x).expand(")],
        "the width is not used",
    ),
    "conv width as variance": (
        "SimpleVAE",
        [("self.log_sig_x.expand(", "(self.log_sig_x / 2).expand(")],
        "as the log variance",
    ),
    "conv width fixed": ("SimpleVAE", [("nn.Parameter(torch.zeros(()))", "torch.zeros(())")], "parameters is 105892"),
    "conv unfolds wrong": (
        "SimpleVAE",
        [("unflatten(0, z.shape[:2])", "unflatten(0, z.shape[:2][::-1]).transpose(0, 1)")],
        "fold and unfold in the same order",
    ),
    "generate transposed": (
        "generate_images",
        [("torch.randn(n_images, K, device=device)", "torch.randn(K, n_images, device=device).T")],
        "another order",
    ),
    "generate with gradient": (
        "generate_images",
        [("torch.no_grad()", "torch.enable_grad()")],
        "inside torch.no_grad()",
    ),
    "generate keeps a dimension": (
        "generate_images",
        [("vae.decode(z[None])[0]", "vae.decode(z[None])")],
        "expected (9, 1, 28, 28)",
    ),
}


@pytest.mark.parametrize("word", [cell.tag[1] for cell in read_source(NAME).cells_of("autograded")])
def test_the_solution_passes_its_own_check(word):
    run_check(word, solution(word))


@pytest.mark.parametrize("word", RIGHT)
def test_a_right_answer_written_differently_passes(word):
    run_check(word, RIGHT[word])


@pytest.mark.parametrize("case", WRONG)
def test_a_usual_slip_is_named(case):
    word, changes, sentence = WRONG[case]
    with pytest.raises(ExpectationError) as caught:
        run_check(word, changed(word, *changes))
    assert sentence in str(caught.value).lower(), str(caught.value)
