"""What a student is told: the right cell, the right line, the next step."""

import pytest
from support import answers

from grader.stages.pipeline import Grader

NAME = "01_kl_divergence"


def _sentence(grader: Grader, task: str, source: str, check: str) -> str:
    report = grader.grade_bytes(answers(NAME, {task: source}), "a.ipynb", "a")
    return next(verdict.sentence for verdict in report.verdicts if verdict.check == check)


@pytest.mark.parametrize(
    ("task", "source", "check", "expected"),
    [
        (
            "kl.D_KL",
            "def D_KL(mu, logvar):\n    kl = mu\n    raise NotImplementedError('D_KL: this gap is still open')",
            "kl.D_KL.values",
            "the gap is still open",
        ),
        (
            "kl.D_KL",
            "def D_KL(mu, logvar):\n    kl = mu**2\n    return kl @ logvar",
            "kl.D_KL.values",
            "line 4: `return kl @ logvar`",
        ),
        ("kl.D_KL", "def D_KL(mu, logvar):\n    mu.mean()", "kl.D_KL.values", "is a `return` missing?"),
        ("kl.D_KL", "def D_KL(mu, logvar):\n    return 'zero'", "kl.D_KL.values", "a str, expected a tensor"),
        (
            "kl.D_KL",
            "def D_KL(mu, logvar):\n    return helper(mu)",
            "kl.D_KL.values",
            "Only the AUTOGRADED cells are run",
        ),
        (
            "kl.D_KL",
            "x = undefined_name\ndef D_KL(mu, logvar):\n    return mu.mean()",
            "kl.D_KL.values",
            "NameError: name 'undefined_name' is not defined",
        ),
        (
            "kl.D_KL",
            "def D_KL(mu, logvar):\n    return torch.ones(90_000, 90_000).mean()",
            "kl.D_KL.values",
            "asked for more memory than a submission may have",
        ),
        ("kl.D_KL", "def D_KL(mu, logvar):\n    exit()", "kl.D_KL.values", "return a value instead"),
        (
            "kl.D_KL",
            "class Module(nn.Module):\n    pass\n\n\nD_KL = Module()",
            "kl.D_KL.values",
            'it raised NotImplementedError: Module [Module] is missing the required "forward" function.',
        ),
        (
            "kl.D_KL",
            "import functools\n\n\ndef D_KL(mu, logvar):\n    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()",
            "kl.D_KL.values",
            "imports `functools` of the standard library, which is allowed.",
        ),
        (
            "kl.log_prob",
            "def log_prob(x, mu, log_sigma):\n    return (x - mu).sum(-1)",
            "kl.mc.values",
            "Asked with a stand-in for your `log_prob`, which did not pass: that costs nothing here.",
        ),
    ],
)
def test_the_sentence_names_the_next_step(grader: Grader, task: str, source: str, check: str, expected: str) -> None:
    assert expected in _sentence(grader, task, source, check)
