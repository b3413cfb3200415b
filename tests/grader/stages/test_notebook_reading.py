"""Damaged and unusual notebooks, graded: the sentence a student reads, the points that are left."""

import copy
import json

import pytest

from grader.records import Report
from grader.stages.pipeline import Grader
from tests.support import answers

NOTEBOOK = "01_kl_divergence"
TAG = "# AUTOGRADED (5) D_KL"
RIGHT = "def D_KL(mu, logvar):\n    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()"
ALL, OTHERS = 35.0, 30.0


@pytest.fixture
def content() -> dict:
    return copy.deepcopy(json.loads(answers(NOTEBOOK)))


@pytest.fixture
def cell(content: dict) -> dict:
    return next(cell for cell in content["cells"] if "".join(cell["source"]).startswith(TAG))


@pytest.fixture
def graded(grader: Grader, content: dict):
    def grade() -> Report:
        report = grader.grade_bytes(json.dumps(content).encode(), "ada.ipynb", "ada")
        assert (report.fault, report.rejection) == ("", "")
        assert all(
            verdict.sentence.endswith((".", "?")) and verdict.sentence.isprintable() for verdict in report.verdicts
        )
        return report

    return grade


def points(report: Report) -> float:
    return sum(verdict.points for verdict in report.verdicts)


def first(report: Report, task: str = "kl.D_KL") -> tuple[str, str]:
    return next((verdict.status, verdict.sentence) for verdict in report.verdicts if verdict.task == task)


@pytest.mark.parametrize(
    "source",
    [
        f"#AUTOGRADED\n{RIGHT}",
        f"# autograded(5)\n{RIGHT}",
        f"%%time\n\n{TAG}\n{RIGHT}",
        RIGHT,
        f"\ufeff{TAG}\r\n{RIGHT}".replace("\n", "\r\n"),
        f"{TAG}\nimport math as m\nfrom torch import exp\n{RIGHT}\n!ls\n%timeit 1",
        f"{TAG}\n{RIGHT}\nprint(D_KL(torch.zeros(1), torch.zeros(1)))\nraise SystemExit",
    ],
)
def test_what_can_be_understood_costs_nothing(graded, cell, source):
    cell["source"] = source
    assert points(graded()) == ALL


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answer_in_a_text_cell_counts_and_is_said(graded, cell, kind):
    cell["cell_type"], cell["source"] = kind, f"```python\n{TAG}\n{RIGHT}\n```"
    report = graded()
    assert points(report) == ALL
    assert any("Turn it back into a code cell" in repair for repair in report.repairs)


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        (f"{TAG}\ndef D_KL(mu, logvar:\n    return 1", "raised", "does not parse, line 2"),
        (f"{TAG}\nimport os\n{RIGHT}", "forbidden", "line 2 uses `import os`, which this notebook does not allow"),
        (f"{TAG}\n{RIGHT}\ntorch.distributions.Normal(0., 1.)", "forbidden", "`torch.distributions`"),
        (f"{TAG}\ndef D_KL(mu, logvar):\n    return eval('mu')", "forbidden", "`eval`"),
        (f"{TAG}\ndef kl(mu, logvar):\n    return mu", "raised", "`D_KL` is not defined"),
        (f"{TAG}\n", "raised", "`D_KL` is not defined"),
        ("nothing", "missing", "no cell begins with `# AUTOGRADED (5) D_KL`"),
        (
            f"{TAG}\ndef D_KL(mu, logvar):\n    raise NotImplementedError('D_KL: still open')",
            "missing",
            "gap is still open",
        ),
        (f"{TAG}\n{RIGHT}".replace("mu**2", "mew**2"), "raised", "NameError: name 'mew' is not defined"),
        (f"{TAG}\nx = {'+'.join(['1'] * 9000)}\n{RIGHT}", "raised", ""),
    ],
)
def test_what_cannot_costs_its_own_points_and_says_why(graded, cell, source, status, words):
    cell["source"] = source
    report = graded()
    found, sentence = first(report)
    assert found == status
    assert words in sentence
    assert points(report) == OTHERS


def test_hidden_ways_to_a_module_that_is_ruled_out_end_in_an_error(graded, cell):
    cell["source"] = (
        f"{TAG}\nd = getattr(torch, 'distri' + 'butions')\ndef D_KL(mu, logvar):\n    return d.Normal(0., 1.).mean"
    )
    status, sentence = first(graded())
    assert status == "raised"
    assert "torch.distributions is not allowed in answers" in sentence


def test_the_untouched_notebook_earns_nothing_and_names_every_gap(graded, content):
    from tools.notebooks import student_notebook

    content.update(json.loads(json.dumps(student_notebook(NOTEBOOK))))
    report = graded()
    assert points(report) == 0
    assert {verdict.status for verdict in report.verdicts} == {"missing"}
