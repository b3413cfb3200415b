"""What is loaded before answers run: what an assignment declares, no less than its answers need, and no more."""

import pickle
import subprocess
import sys

import pytest
from support import answers

from grader.sandbox.box import Box
from grader.sandbox.script import encode_script
from grader.stages.pipeline import Grader, graded_assignments
from tests.places import PROJECT, why_not
from utils.assignments import load_assignment

from .test_box import NOTEBOOK, call, job

SOLVED = """
import sys
from grader.rubric.draws import job_of
from grader.sandbox.warm_up import warm_up_torch
from tests.behaviour.bare import Bare, run_bare
warm_up_torch()
bare = Bare(sys.argv[1])
asked = tuple(call for task in bare.solution for call in bare.public(task))
run = run_bare(job_of(bare.rubric.assignment, bare.rubric.references.solution, asked))
assert {one.status for one in run.runs.values()} == {"ran"}
print("torch._dynamo" in sys.modules)
"""
ANSWER = """
import pickle, socket, sys, threading
from grader.sandbox import late
late.put_off()
from grader.sandbox.warm_up import warm_up
warm_up([sys.argv[1]])
from grader.sandbox import child, frames, landlock, linux, not_allowed, seccomp
not_allowed.note_modules()
public, hidden = pickle.load(sys.stdin.buffer)
ours, theirs = socket.socketpair()

def follow():
    ours.sendall(public)
    decoder, ends = frames.Decoder(), 0
    while ends < 2 and (data := ours.recv(1 << 16)):
        for frame in decoder.feed(data):
            if frame.header["kind"] == "end":
                ends += 1
                ours.sendall(hidden if ends == 1 else b"")

threading.Thread(target=follow).start()
before = set(sys.modules)
child.serve(theirs)
print(*sorted(set(sys.modules) - before))
"""
OPTIMIZER = """
def D_KL(mu, logvar):
    weights = torch.ones(3).requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=0.5)
    weights.sum().backward()
    optimizer.step()
    try:
        torch.distributions.Normal
    except ImportError:
        return weights
"""


@pytest.mark.parametrize("name", [name for name in graded_assignments() if not load_assignment(name).about.optimizers])
def test_an_assignment_that_declares_no_optimizers_makes_none(name: str) -> None:
    """Its solution and probes load nothing of what the first one loads: else every submission would wait for that."""
    code = [sys.executable, "-c", SOLVED, name]
    run = subprocess.run(code, capture_output=True, text=True, check=False, cwd=PROJECT, encoding="utf-8")
    assert run.stdout == "False\n", run.stderr


@pytest.mark.parametrize("name", graded_assignments())
def test_the_process_of_a_right_answer_imports_nothing(name: str, nursery) -> None:
    """What it imports every hand-in pays for; the zygote would have paid once."""
    asked: list[tuple[bytes, bytes]] = []
    with Grader(name, "tests", quality_seconds=0, nursery=nursery.requests) as grader:
        attempt = grader.box.attempt

        def noted(job, steps, *rest):
            asked.append((encode_script(job, steps[0]), encode_script(None, steps[1])))
            return attempt(job, steps, *rest)

        grader.box.attempt = noted  # type: ignore[method-assign]
        assert not grader.grade_bytes(answers(name), "ada.ipynb", "ada").fault
    code = [sys.executable, "-c", ANSWER, name]
    run = subprocess.run(code, input=pickle.dumps(asked[-1]), capture_output=True, check=False, cwd=PROJECT)
    assert (run.returncode, run.stdout.decode()) == (0, "\n"), run.stderr.decode()


@pytest.mark.parametrize("tier", ["A", "B", "C", "B-", "D"])
def test_an_answer_may_make_an_optimizer_that_nobody_expected(tier: str) -> None:
    """That loads what notebook 1 rules out; answers get none of it, before and after."""
    if reason := why_not(tier):
        pytest.skip(reason)
    with Box([NOTEBOOK], tier) as box:
        runs = [box.run(job(OPTIMIZER, call("public"), call("hidden", is_public=False))) for _ in range(2)]
        assert [run.runs[name].status for run in runs for name in run.runs] == ["ran"] * 4
        assert all(one.values["value"] == pytest.approx(0.5) for run in runs for one in run.runs.values())
        reached = box.run(job("def D_KL(mu, logvar):\n    return torch.distributions.Normal(mu, 1).sample()"))
        assert reached.runs["one"].status == "raised"
