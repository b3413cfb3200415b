"""Nothing secret leaves: hidden inputs and reference values carry marks, submissions try to carry them out by every way
that ends in a report, and every report is searched for the marks in several spellings."""

import base64
import dataclasses
import json
from collections.abc import Iterator

import numpy as np
import pytest

from grader.authoring.check import fresh_calls
from grader.records import Report
from grader.report import feedback_page, grades_csv, grades_table, results_json
from grader.rubric import load_rubric
from grader.rubric.draws import FreshReferences
from grader.stages.pipeline import Grader
from tests.support import answers

NOTEBOOK = "01_kl_divergence"
HIDDEN = np.float32(0.7315924)  # the mean of every hidden input named mu
ROWS, COLUMNS = 61, 47  # its shape; no public input is as large
REFERENCE = 0.2468135

SPY = f"""
os = torch.sys.modules["importlib"].import_module("os")
def right(mu, logvar):
    return 0.5 * (mu**2 + torch.exp(logvar) - 1 - logvar).mean()
def is_hidden(mu):
    return tuple(mu.shape) == ({ROWS}, {COLUMNS})
def send(header, payload=b""):
    text = torch.sys.modules["json"].dumps(header).encode()
    os.write(250, len(text).to_bytes(4, "little") + len(payload).to_bytes(4, "little") + text + payload)
def error(mu):
    send({{"kind": "error", "type": f"E{{mu.mean().item()}}", "text": str(mu), "lines": [[{ROWS}, {COLUMNS}]]}})
"""
WAYS = {
    "exception text": "raise ValueError(f'{mu} {mu.mean().item()} {mu.shape} {mu.numpy().tobytes().hex()}')",
    "exception type": "raise type(f'E{mu.mean().item()}', (Exception,), {})()",
    "known exception": "raise KeyError(mu.mean().item(), tuple(mu.shape))",
    "missing gap": "raise NotImplementedError(f'{mu.mean().item()}')",
    "exit code": "torch.sys.exit(int(mu.mean().item() * 1e7))",
    "hard exit": "os._exit(int(mu.mean().item() * 100))",
    "signal": "os.kill(os.getpid(), 9)",
    "shape": "return torch.zeros(tuple(mu.shape))",
    "digits in the shape": "return torch.zeros(0, 7315924, 61, 47)",
    "value": "return mu.mean()",
    "dtype": "return mu.to(torch.int8)",
    "not a tensor": "return {mu.mean().item(): tuple(mu.shape)}",
    "a type's name": "return type(f'E{mu.mean().item()}_61_47', (), {})()",
    "line number": "exec_line(7315924)",
    "error frame": "error(mu)",
    "two error frames": "error(mu); error(mu); return right(mu, logvar)",
    "public value": "send({'kind': 'answer', 'probe': 'kl.D_KL.values#public0', 'arrays': [['value', 'u1', [0, 61, 47]]]})",
    "unknown frame": "send({'kind': f'{mu.mean().item()}', 'number': 7315924})",
    "step number": "send({'kind': 'step', 'number': 7315924})",
    "output": "print(mu.mean().item(), flush=True); os.write(1, mu.numpy().tobytes()); return mu.mean()",
    "warning": "torch.sys.modules['warnings'].warn(str(mu.mean().item())); return mu.mean()",
    "later tasks": "torch.stolen = str(mu.mean().item()); raise ValueError",
    "a file, and a fault": "open('stolen', 'w').write(f'{mu.mean().item()} {tuple(mu.shape)}'); os._exit(1)",
    "the environment, and a fault": "os.environ['STOLEN'] = str(mu.mean().item()); os.kill(os.getpid(), 9)",
}
# In another task: tells what was left, wherever a public probe would let it.
RECEIVER = """
import torch
os = torch.sys.modules["importlib"].import_module("os")
stolen = str(os.listdir(".")) + "".join(open(name).read() for name in os.listdir(".")) + os.environ.get("STOLEN", "") + getattr(torch, "stolen", "")
def kl_q_p_exact(params_q, params_p):
    raise ValueError("received: " + stolen + getattr(torch, "stolen", ""))
"""


def spellings() -> Iterator[str]:
    """The marks as they could appear in a text."""
    for mark in (float(HIDDEN), REFERENCE):
        digits = f"{mark:.7f}"[2:]
        yield from (digits[:4], f"{mark * 10:.3f}", f"{mark:.3e}")
        for kind in ("<f4", ">f4", "<f8", ">f8"):
            data = np.array([mark, mark, mark], kind).tobytes()
            yield from (data.hex()[:12], base64.b64encode(data).decode()[:10], repr(data)[2:14])
    yield from (f"{ROWS}, {COLUMNS}", f"({ROWS}", f"{ROWS}x{COLUMNS}", f" {ROWS} ", f" {COLUMNS} ")


def everything_said(report: Report) -> str:
    results = results_json(report)
    # The seed of the draw and the times are for staff.
    facts = dataclasses.replace(report, draw="", cpu_seconds=0.0, wall_seconds=0.0, submission_sha256="")
    plain = results_json(facts)
    assert results["score"] == plain["score"]
    pages = (feedback_page(plain), grades_csv([plain]), grades_table([plain]))
    return "\n".join([repr(facts), json.dumps(plain), json.dumps(plain, ensure_ascii=False), *pages])


@pytest.fixture
def marked(grader: Grader, monkeypatch: pytest.MonkeyPatch) -> Grader:
    """A grader whose hidden inputs and reference values carry the marks."""

    def draw(check, seed):
        return [dataclasses.replace(call, inputs=_mark(call.inputs)) for call in fresh_calls(check, seed)]

    rubric = load_rubric(NOTEBOOK)
    outputs = {
        call: {name: np.full_like(value, REFERENCE) for name, value in values.items()}
        if call.startswith("kl.gaussians")
        else values
        for call, values in rubric.references.outputs.items()
    }
    references = dataclasses.replace(rubric.references, outputs=outputs)
    monkeypatch.setattr(
        "grader.stages.pipeline.load_rubric", lambda name: dataclasses.replace(rubric, references=references)
    )
    monkeypatch.setattr("grader.rubric.draws.fresh_calls", draw)
    monkeypatch.setattr(grader, "fresh", FreshReferences(grader.box))
    return grader


def _mark(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    if set(inputs) != {"mu", "logvar"}:
        return inputs
    return {name: np.full((ROWS, COLUMNS), HIDDEN, np.float32) for name in inputs}


def _spy(way: str) -> str:
    body = WAYS[way].replace("exec_line(7315924)", "raise ValueError\n" + "\n" * 40)
    return f"{SPY}\ndef D_KL(mu, logvar):\n    if is_hidden(mu):\n        {body}\n    return right(mu, logvar)\n"


def search(text: str) -> list[str]:
    return [mark for mark in spellings() if mark in text]


def test_the_marks_reach_the_process_and_the_search_finds_them(marked):
    """Controls: a right answer passes on the marked inputs, one that is wrong on them alone fails, and told marks are found."""
    right = marked.grade_bytes(answers(NOTEBOOK, {"kl.D_KL": f"{SPY}\nD_KL = right"}), "a.ipynb", "ada")
    assert [verdict.status for verdict in right.verdicts if verdict.task == "kl.D_KL"] == ["passed", "passed"]
    wrong = marked.grade_bytes(answers(NOTEBOOK, {"kl.D_KL": _spy("value")}), "a.ipynb", "ada")
    assert next(verdict for verdict in wrong.verdicts if verdict.task == "kl.D_KL").status == "wrong"
    for said in (
        f"E{float(HIDDEN)}",
        f"shape ({ROWS}, {COLUMNS})",
        f"{REFERENCE:.6f}",
        np.full(3, HIDDEN).tobytes().hex(),
    ):
        assert search(said)


@pytest.mark.parametrize("way", WAYS)
def test_no_way_out_for_a_hidden_input(marked, way):
    report = marked.grade_bytes(answers(NOTEBOOK, {"kl.D_KL": _spy(way), "kl.exact": RECEIVER}), "a.ipynb", "ada")
    assert report.fault == ""
    said = everything_said(report)
    assert search(said) == []
    assert "received" in said
    assert (
        next(verdict for verdict in report.verdicts if verdict.task == "kl.D_KL").status != "passed" or "frame" in way
    )


@pytest.mark.parametrize(
    "answer",
    [
        "return mu1 * 0",
        "return mu1.mean()",
        "return mu1 / 0 * 0",
        "raise ValueError(mu1.shape)",
        "return None",
        "return mu1.long()",
    ],
)
def test_no_reference_value_is_told(marked, answer):
    source = f"def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):\n    {answer}"
    report = marked.grade_bytes(answers(NOTEBOOK, {"kl.gaussians": source}), "a.ipynb", "ada")
    assert report.fault == ""
    assert next(verdict for verdict in report.verdicts if verdict.task == "kl.gaussians").points == 0
    assert search(everything_said(report)) == []


@pytest.mark.parametrize(
    "source",
    [
        "def D_KL(mu): return mu",
        "D_KL = 5",
        "def D_KL(mu, logvar): return mu.no",
        "def D_KL(mu, logvar): return [mu]",
        "class D_KL: pass",
    ],
)
def test_no_line_of_a_probe_is_told(marked, source):
    said = everything_said(marked.grade_bytes(answers(NOTEBOOK, {"kl.D_KL": source}), "a.ipynb", "ada"))
    for secret in (
        "names[",
        "probes",
        "requires_grad_",
        "autograd.grad",
        "public0",
        "fresh0",
        "Traceback",
        'File "',
        "assert",
    ):
        assert secret not in said
