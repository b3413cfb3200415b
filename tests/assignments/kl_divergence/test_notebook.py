"""Notebook 1: the solved version runs, its checks pass right answers written differently and name the usual slips."""

import hashlib
import re
import zipfile

import pytest

from tests.predictions import disagreements
from tests.solved.one_run import OneRun
from tools.notebook_source import read_source
from tools.notebooks import student_notebook
from utils.exercise.expect import ExpectationError

NAME = "01_kl_divergence"


# ---------------------------------------------------------------- the notebook as a whole


class TestTheRun(OneRun):
    """What holds of every solved notebook."""


def printed(notebook, first_line: str) -> str:
    cells = [cell for cell in notebook.cells if cell.source.startswith(first_line)]
    return "".join(out.text for cell in cells for out in cell.get("outputs", []) if out.output_type == "stream")


def test_what_a_prediction_calls_right_is_what_the_run_shows(executed):
    assert disagreements(NAME, executed[0]) == []


def test_every_visible_check_passes(executed):
    notebook, _ = executed
    lines = printed(notebook, "# TEST").strip().split("\n")
    so_far = [line for line in lines if line.startswith("So far the tests of ")]
    assert so_far[-1] == "So far the tests of 35 of 35 points are green here; the grader tries other inputs too."
    lines = [line for line in lines if line not in so_far]
    assert len(lines) >= 15
    assert all(line.endswith("passed") for line in lines), lines


def test_the_setup_cell_says_what_it_found(executed):
    text = printed(executed[0], "# SETUP")
    assert "torch" in text
    assert "device" in text
    assert "FAST=1" in text


def test_every_experiment_shows_its_picture(executed):
    pictures = [
        out for cell in executed[0].cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})
    ]
    assert len(pictures) == 9


def test_the_last_cell_writes_a_submission_with_the_notebook_and_its_picture(executed):
    notebook, folder = executed
    text = printed(notebook, "hand_in(")
    path = folder / f"{NAME}_submission.zip"
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["01_kl_beta.png", f"{NAME}.ipynb"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() in text
    assert "Every graded cell and every response has an answer." in text


def test_only_the_balanced_model_generates(executed):
    lines = [line.split() for line in printed(executed[0], "set_seed(0)\ndata").strip().split("\n")]
    table = [line for line in lines if line[0][0].isdigit()]
    assert len(table) >= 3
    share = {float(row[0]): int(row[5].rstrip("%")) for row in table}
    assert share[1.0] > 2 * share[0.001]
    assert share[100.0] == 0


def test_the_negative_elbo_at_the_posterior_is_the_exact_value(executed):
    text = printed(executed[0], "set_seed(0)\nsigma_x")
    exact, at_posterior, moved = (float(number) for number in re.findall(r"= (-?[\d.]+)", text))
    assert at_posterior == pytest.approx(exact, abs=0.05)
    assert moved > exact + 1


def test_the_student_version_stops_at_the_first_gap():
    namespace: dict = {}
    cell = next(cell for cell in student_notebook(NAME).cells if cell.source.startswith("# AUTOGRADED"))
    exec(cell.source, namespace)
    with pytest.raises(NotImplementedError, match="D_KL: this gap is still open"):
        namespace["D_KL"](None, None)


# ---------------------------------------------------------------- one check at a time


def run_check(word: str, answer: str) -> None:
    """Run one task's `# TEST` with an answer in place of the solution's, after nothing but the cells it must have."""
    source = read_source(NAME)
    namespace: dict = {}
    is_next = False
    for cell in source.cells:
        is_asked = cell.role == "autograded" and cell.tag[1] == word
        if cell.kind != "code":
            continue
        if cell.role in ("imports", "autograded") or is_next:
            exec(compile(answer if is_asked else cell.text, f"<cell {cell.number}>", "exec"), namespace)
        if is_next:
            return
        is_next = is_asked
    raise AssertionError(f"no task {word}")


RIGHT = {
    "D_KL, loop": (
        "D_KL",
        "def D_KL(mu, logvar):\n"
        "    total = 0.0\n"
        "    for m, v in zip(mu.flatten(), logvar.flatten()):\n"
        "        total = total - 0.5 * (1 + v - m * m - v.exp())\n"
        "    return total / mu.numel()",
    ),
    "kl_divergence, with sigmas": (
        "kl_divergence",
        "def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):\n"
        "    s1, s2 = log_sigma1.exp(), log_sigma2.exp()\n"
        "    return torch.log(s2 / s1) + (s1**2 + (mu1 - mu2)**2) / (2 * s2**2) - 1 / 2",
    ),
    "log_prob, by dimension": (
        "log_prob",
        "def log_prob(x, mu, log_sigma):\n"
        "    s = log_sigma[..., None]\n"
        "    return (-0.5 * ((x - mu) / s.exp())**2 - s - 0.5 * np.log(2 * np.pi)).sum(2)",
    ),
    "kl_q_p_mc, by hand": (
        "kl_q_p_mc",
        "def kl_q_p_mc(samples_q, params_q, params_p):\n"
        "    N = samples_q.shape[1]\n"
        "    def lp(p):\n"
        "        p = p.unsqueeze(1).repeat(1, N, 1)\n"
        "        return log_prob(samples_q, p[..., :-1], p[..., -1])\n"
        "    return (lp(params_q) - lp(params_p)).sum(dim=1) / N",
    ),
    "kl_q_p_exact, formula": (
        "kl_q_p_exact",
        "def kl_q_p_exact(params_q, params_p):\n"
        "    K = params_q.size(1) - 1\n"
        "    d = (params_q[:, :K] - params_p[:, :K]).pow(2).sum(1)\n"
        "    lq, lp = params_q[:, K], params_p[:, K]\n"
        "    return K * (lp - lq) + (K * (2 * lq).exp() + d) / (2 * (2 * lp).exp()) - K / 2",
    ),
    "rsample, expanded": (
        "rsample",
        "def rsample(params_q, num_samples):\n"
        "    mu = params_q[:, :-1].unsqueeze(1).expand(-1, num_samples, -1)\n"
        "    return torch.randn_like(mu.contiguous()).mul(params_q[:, -1].exp().view(-1, 1, 1)).add(mu)",
    ),
    "elbo, by hand": (
        "elbo",
        "def elbo(x, params_q, num_samples, func_decoder, log_sig_x):\n"
        "    out = func_decoder(rsample(params_q, num_samples))\n"
        "    var = (2 * log_sig_x).exp()\n"
        "    nll = 0.5 * (out - x.unsqueeze(1))**2 / var + log_sig_x + 0.5 * math.log(2 * math.pi)\n"
        "    mu, ls = params_q[:, :-1], params_q[:, -1:]\n"
        "    kl = 0.5 * (mu**2 + (2 * ls).exp() - 1 - 2 * ls).sum(-1)\n"
        "    return nll.sum(-1).mean(-1) + kl",
    ),
}

D_KL_HEAD = "def D_KL(mu, logvar):\n    "
GAUSS_HEAD = "def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):\n    "
PROB_HEAD = "def log_prob(x, mu, log_sigma):\n    K = x.shape[-1]\n    sq = ((x - mu)**2).sum(-1)\n    "
MC_HEAD = (
    "def kl_q_p_mc(samples_q, params_q, params_p):\n"
    "    lq = log_prob(samples_q, params_q[:, None, :-1].expand_as(samples_q), params_q[:, None, -1])\n"
    "    lp = log_prob(samples_q, params_p[:, None, :-1].expand_as(samples_q), params_p[:, None, -1])\n    "
)
EXACT_HEAD = (
    "def kl_q_p_exact(params_q, params_p):\n    K = params_q.shape[1] - 1\n"
    "    a, b, c, d = params_q[:, :-1], params_q[:, -1:], params_p[:, :-1], params_p[:, -1:]\n    "
)
SAMPLE_HEAD = "def rsample(params_q, num_samples):\n    mu, ls = params_q[:, None, :-1], params_q[:, None, -1:]\n    B, _, K = mu.shape\n    "
ELBO_HEAD = (
    "def elbo(x, params_q, num_samples, func_decoder, log_sig_x):\n"
    "    x_hat = func_decoder(rsample(params_q, num_samples))\n"
    "    ll = log_prob(x[:, None].expand_as(x_hat), x_hat, log_sig_x * torch.ones(x_hat.shape[:2])).mean(1)\n"
    "    kl = kl_q_p_exact(params_q, torch.zeros_like(params_q))\n    "
)

WRONG = {
    "sum over latent": (
        "D_KL",
        D_KL_HEAD + "return .5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1).mean()",
        "sum over the latent",
    ),
    "sum over all": (
        "D_KL",
        D_KL_HEAD + "return .5 * (mu**2 + logvar.exp() - 1 - logvar).sum()",
        "batch and latent; take the mean",
    ),
    "missing half": ("D_KL", D_KL_HEAD + "return (mu**2 + logvar.exp() - 1 - logvar).mean()", "twice the expected one"),
    "sign": ("D_KL", D_KL_HEAD + "return -.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()", "minus the expected one"),
    "logvar as log sigma": (
        "D_KL",
        D_KL_HEAD + "return .5 * (mu**2 + (2 * logvar).exp() - 1 - 2 * logvar).mean()",
        "you used it as the log of sigma",
    ),
    "no reduction": (
        "D_KL",
        D_KL_HEAD + "return .5 * (mu**2 + logvar.exp() - 1 - logvar)",
        "shape (10, 5), expected ()",
    ),
    "nothing returned": ("D_KL", D_KL_HEAD + "kl = mu.mean()", "does the function end with `return`?"),
    "swapped": (
        "kl_divergence",
        GAUSS_HEAD
        + "return log_sigma1 - log_sigma2 + ((2*log_sigma2).exp() + (mu1-mu2)**2) / (2*(2*log_sigma1).exp()) - .5",
        "the arguments are swapped",
    ),
    "log sigma as logvar": (
        "kl_divergence",
        GAUSS_HEAD
        + "return (log_sigma2 - log_sigma1) / 2 + (log_sigma1.exp() + (mu1-mu2)**2) / (2*log_sigma2.exp()) - .5",
        "you used it as the log of the variance",
    ),
    "reduced": (
        "kl_divergence",
        GAUSS_HEAD
        + "return (log_sigma2 - log_sigma1 + ((2*log_sigma1).exp() + (mu1-mu2)**2) / (2*(2*log_sigma2).exp()) - .5).mean()",
        "shape (), expected (7, 3)",
    ),
    "K in normaliser": (
        "log_prob",
        PROB_HEAD + "return -.5*sq*(-2*log_sigma).exp() - log_sigma - .5*math.log(2*math.pi)",
        "once for each",
    ),
    "K at 2 pi": (
        "log_prob",
        PROB_HEAD + "return -.5*sq*(-2*log_sigma).exp() - K*log_sigma - .5*math.log(2*math.pi)",
        "multiplied by K too",
    ),
    "mean over K": (
        "log_prob",
        PROB_HEAD + "return -.5*sq/K*(-2*log_sigma).exp() - log_sigma - .5*math.log(2*math.pi)",
        "the mean over K",
    ),
    "sigma as variance": (
        "log_prob",
        PROB_HEAD + "return -.5*sq*(-log_sigma).exp() - K*(log_sigma/2 + .5*math.log(2*math.pi))",
        "you used it as the log of the variance",
    ),
    "mc swapped": ("kl_q_p_mc", MC_HEAD + "return (lp - lq).mean(1)", "q and p are swapped"),
    "mc sum": ("kl_q_p_mc", MC_HEAD + "return (lq - lp).sum(1)", "you sum over the samples"),
    "mc without q": ("kl_q_p_mc", MC_HEAD + "return -lp.mean(1)", "only log p is there"),
    "mc over batch": ("kl_q_p_mc", MC_HEAD + "return (lq - lp).mean()", "shape (), expected (6,)"),
    "exact swapped": (
        "kl_q_p_exact",
        EXACT_HEAD + "return kl_divergence(c, d, a, b).sum(-1)",
        "the arguments are swapped",
    ),
    "exact mean": (
        "kl_q_p_exact",
        EXACT_HEAD + "return kl_divergence(a, b, c, d).mean(-1)",
        "you average over the K dimensions",
    ),
    "exact forgets K": (
        "kl_q_p_exact",
        EXACT_HEAD
        + "return (d - b + (2*b).exp() / (2*(2*d).exp()) - .5)[:, 0] + ((a-c)**2).sum(-1) / (2*(2*d[:, 0]).exp())",
        "once for each of the K dimensions",
    ),
    "no gradient": (
        "rsample",
        SAMPLE_HEAD + "return (mu + ls.exp() * torch.randn(B, num_samples, K)).detach()",
        "no gradient reaches params_q",
    ),
    "gradient of the mean only": (
        "rsample",
        SAMPLE_HEAD + "return mu + ls.exp().detach() * torch.randn(B, num_samples, K)",
        "the gradient that reaches params_q is not the slope",
    ),
    "same noise for samples": (
        "rsample",
        SAMPLE_HEAD + "return (mu + ls.exp() * torch.randn(B, 1, K)).expand(B, num_samples, K)",
        "entries share their noise",
    ),
    "same noise for examples": (
        "rsample",
        SAMPLE_HEAD + "return mu + ls.exp() * torch.randn(1, num_samples, K)",
        "entries share their noise",
    ),
    "same noise for dimensions": (
        "rsample",
        SAMPLE_HEAD + "return mu + ls.exp() * torch.randn(B, num_samples, 1)",
        "entries share their noise",
    ),
    "variance for sigma": (
        "rsample",
        SAMPLE_HEAD + "return mu + (ls / 2).exp() * torch.randn(B, num_samples, K)",
        "you used it as the log of the variance",
    ),
    "uniform noise": (
        "rsample",
        SAMPLE_HEAD + "return mu + ls.exp() * torch.rand(B, num_samples, K)",
        "the mean of the noise is 0.50, expected 0. Draw with torch.randn",
    ),
    "elbo minus kl": ("elbo", ELBO_HEAD + "return -ll - kl", "the KL is subtracted"),
    "elbo maximised": ("elbo", ELBO_HEAD + "return ll - kl", "minus the expected one"),
    "elbo sign of log p": ("elbo", ELBO_HEAD + "return ll + kl", "the sign of log p"),
    "elbo without kl": ("elbo", ELBO_HEAD + "return -ll", "the KL is missing"),
    "elbo mean over batch": ("elbo", ELBO_HEAD + "return (-ll + kl).mean()", "shape (), expected (4,)"),
    "elbo cut off": ("elbo", ELBO_HEAD + "return (-ll + kl).detach()", "no gradient reaches params_q"),
}


@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_a_right_answer_written_differently_passes(case):
    run_check(*RIGHT[case])


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_usual_slip_is_named(case):
    word, answer, sentence = WRONG[case]
    with pytest.raises(ExpectationError) as caught:
        run_check(word, answer)
    assert sentence in str(caught.value), str(caught.value)
