"""A box: runs cells and probes, keeps time, comes back after a fault, remembers nothing and holds no reference."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from grader.records import Call, CellSource, Job, ProbeRun
from grader.rubric.references import load_references
from grader.sandbox import shown
from grader.sandbox.box import Box
from grader.sandbox.script import merge_cells
from grader.sandbox.sitting import Sitting
from grader.sandbox.watch import SandboxError
from utils.notebook.extraction import TaskSource

NOTEBOOK = "01_kl_divergence"
GOOD = "def D_KL(mu, logvar):\n    return mu.sum() + logvar.sum()"
OTHER = "def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):\n    return mu1"


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box([NOTEBOOK]) as running:
        running.step_seconds = 2.0
        yield running


def call(name: str = "one", is_public: bool = True, **inputs: np.ndarray) -> Call:
    inputs = inputs or {"mu": np.ones((2, 3), np.float32), "logvar": np.ones((2, 3), np.float32)}
    return Call(name, "kl.D_KL", "D_KL", inputs, is_public)


def job(source: str, *calls: Call, cells: tuple[CellSource, ...] = ()) -> Job:
    own = (CellSource(3, source, ("kl.D_KL",)), *cells)
    return Job(
        "assignments.kl_divergence.probes",
        ("import torch\nimport math",),
        ("torch.distributions",),
        own,
        calls or (call(),),
    )


def other_call(name: str = "other") -> Call:
    inputs = {n: np.ones((2, 3), np.float32) for n in ("mu1", "log_sigma1", "mu2", "log_sigma2")}
    return Call(name, "kl.gaussians", "gaussians", inputs, True)


def zygote_pid(box: Box) -> int:
    """Where there are namespaces, the process the box knows waits for another one, which is the zygote."""
    children = Path(f"/proc/{box.pid}/task/{box.pid}/children").read_text(encoding="utf-8").split()
    return int(children[0]) if children else box.pid


def test_values_come_back(box):
    run = box.run(job(GOOD, call("public"), call("hidden", is_public=False)))
    assert {name: result.status for name, result in run.runs.items()} == {"public": "ran", "hidden": "ran"}
    for result in run.runs.values():
        np.testing.assert_array_equal(result.values["value"], np.float32(12))
    assert run.cells[3].status == "ran"
    assert run.cpu_seconds > 0


@pytest.mark.parametrize(
    ("answer", "dtype"),
    [("3", "int64"), ("3.5", "float64"), ("True", "bool"), ("mu.bfloat16()", "float32"), ("mu.half()", "float16"),
     ("mu.numpy()", "float32"), ("mu.T", "float32"), ("mu.requires_grad_()", "float32")],
)  # fmt: skip
def test_an_answer_is_any_number_or_tensor(box, answer, dtype):
    run = box.run(job(f"def D_KL(mu, logvar):\n    return {answer}"))
    assert run.runs["one"].values["value"].dtype == dtype


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("None", "None (is a `return` missing?)"),
        ("'x'", "a str"),
        ("(mu, mu)", "a tuple"),
        ("{}", "a dict"),
        ("1j", "a complex"),
    ],
)
def test_what_is_no_tensor_is_named(box, answer, words):
    result = box.run(job(f"def D_KL(mu, logvar):\n    return {answer}")).runs["one"]
    assert result.status == "malformed"
    assert result.error is not None
    assert words in result.error.text


def test_an_error_names_the_students_lines(box):
    result = box.run(job("def inner(x):\n    return x.no\n\n\ndef D_KL(mu, logvar):\n    return inner(mu)")).runs["one"]
    assert result.status == "raised"
    assert result.error is not None
    assert result.error.type == "AttributeError"
    assert result.error.lines == ((3, 6), (3, 2))


@pytest.mark.parametrize(
    "ending", ["raise ValueError(mu)", "raise MemoryError", "raise NotImplementedError", "os._exit(3)", "time.sleep(60)", "return None"]
)  # fmt: skip
def test_whatever_ends_a_hidden_call_looks_the_same(box, ending):
    """Hidden inputs are told by their shape here. How a process ends that has seen them is a choice of its own."""
    source = f"import os, time\ndef D_KL(mu, logvar):\n    if mu.shape == (7, 7):\n        {ending}\n    return mu"
    large = Call("hidden", "kl.D_KL", "D_KL", {n: np.ones((7, 7), np.float32) for n in ("mu", "logvar")}, False)
    began = time.monotonic()
    run = box.run(job(source, call("public"), large))
    untold_seconds = time.monotonic() - began - run.wall_seconds
    assert run.runs["hidden"] == ProbeRun("hidden", "wrong")
    assert run.runs["public"].status == run.cells[3].status == "ran"
    assert run.cpu_seconds < 2
    assert untold_seconds > (1.9 if "sleep" in ending else 0)  # it sleeps for as long as a call may take


def test_small_networks_wait_for_no_compiler(box):
    """Of oneDNN, for each shape of a convolution; see `warm_up`."""
    source = "def D_KL(mu, logvar):\n    return torch.full((), float(torch.backends.mkldnn.enabled))"
    run = box.run(job(source, call("public"), call("hidden", is_public=False)))
    assert [result.values["value"] for result in run.runs.values()] == [0.0, 0.0]


def test_nothing_public_runs_after_a_hidden_input_was_sent(box):
    sitting = Sitting(box)
    asked = job(GOOD, call("public"), call("hidden", is_public=False))
    assert set(sitting.public(asked).runs) == {"public"}
    assert set(sitting.public(asked).runs) == {"public"}
    assert not sitting.is_sealed
    assert set(sitting.both(asked).runs) == {"public", "hidden"}
    for again in (sitting.public, sitting.both):
        with pytest.raises(SandboxError, match="hidden inputs have been sent"):
            again(asked)


HIDDEN = {name: np.ones((5, 3), np.float32) for name in ("mu", "logvar")}  # told apart by its five rows


def test_what_is_told_of_both_was_known_before_the_hidden_inputs(box):
    """Its times, what ended it, what it says: all of the public part, however the hidden one goes."""
    slow = """
import os, time
left = [1]  # it ends, or waits, in the first of the hidden calls alone
def D_KL(mu, logvar):
    if mu.shape == (5, 3) and left:
        left.clear()
        {}
    return mu.sum()
"""
    told = []
    for end in ("time.sleep(1.5)", "while True: pass", "raise ValueError('0x5eed')", "os._exit(3)"):
        sitting, began = Sitting(box), time.monotonic()
        run = sitting.both(job(slow.format(end), call("public"), call("hidden", is_public=False, **HIDDEN)))
        hidden_seconds = time.monotonic() - began - run.wall_seconds
        assert hidden_seconds > (1.4 if "while" in end or "sleep" in end else 0), "no time of the hidden part is told"
        assert run.cpu_seconds < 1
        assert run.runs["hidden"].error is None
        told.append((run.runs["public"].status, run.cells[3].status, run.runs["hidden"].status))
    assert told == [("ran", "ran", "ran"), *[("ran", "ran", "wrong")] * 3]


def test_a_public_fault_is_mended_before_anything_hidden_is_sent(box):
    source = "import os\ndef D_KL(mu, logvar):\n    os._exit(1) if mu.shape[0] == 2 else 0\n    return mu.sum()"
    fine = CellSource(5, OTHER, ("kl.gaussians",))
    run = box.run(job(source, call("public"), call("hidden", is_public=False, **HIDDEN), other_call(), cells=(fine,)))
    assert {name: result.status for name, result in run.runs.items()} == {
        "public": "killed",
        "hidden": "wrong",
        "other": "ran",
    }


@pytest.mark.parametrize("frame", ["end", "end, end", "step 2, end", "step 4, end", "answer, end"])
@pytest.mark.parametrize("where", ["cell", "answer"])
def test_an_end_that_comes_early_costs_only_who_announced_it(box, frame, where):
    """It would have brought the hidden inputs before the others had answered, and left them without their public part."""
    source = f"""
import os, json
def forge():
    for word in {frame.split(", ")!r}:
        kind, _, number = word.partition(" ")
        header = {{"kind": kind, "number": int(number or 0), "probe": "public"}}
        text = json.dumps(header).encode()
        os.write(250, len(text).to_bytes(4, "little") + bytes(4) + text)
def D_KL(mu, logvar):
    {"forge()" if where == "answer" else ""}
    return mu.sum()
{"forge()" if where == "cell" else ""}
"""
    fine = CellSource(5, OTHER, ("kl.gaussians",))
    asked = job(source, call("public"), call("hidden", is_public=False, **HIDDEN), other_call(), cells=(fine,))
    sitting = Sitting(box)
    run = sitting.both(asked)
    assert run.runs["public"].status == "malformed"
    assert run.runs["hidden"] == ProbeRun("hidden", "wrong")
    assert run.runs["other"].status == "ran"


def test_a_hidden_probe_sees_the_names_as_they_stood_after_its_cell(box):
    later = CellSource(
        5, "def D_KL(mu, logvar):\n    return mu * 0\nkl_divergence = lambda *args: args[0]", ("kl.gaussians",)
    )
    run = box.run(job(GOOD, call("public"), call("hidden", is_public=False), cells=(later,)))
    np.testing.assert_array_equal(run.runs["hidden"].values["value"], run.runs["public"].values["value"])


def test_a_step_that_ends_the_process_costs_only_its_task(box):
    cells = (CellSource(5, OTHER, ("kl.gaussians",)),)
    source = "import os\ndef D_KL(mu, logvar):\n    os._exit(0)"
    run = box.run(job(source, call("a"), call("b", is_public=False), other_call(), cells=cells))
    assert {name: result.status for name, result in run.runs.items()} == {"a": "killed", "b": "wrong", "other": "ran"}


def test_a_cell_that_ends_the_process_is_left_out(box):
    cells = (CellSource(5, OTHER, ("kl.gaussians",)),)
    run = box.run(job("while True: pass", call(), other_call(), cells=cells))
    assert run.cells[3].status == run.runs["one"].status == "timeout"
    assert run.cells[3].limit == "2 s"
    assert run.runs["other"].status == "ran"


def test_a_cell_that_raises_after_defining_is_used(box):
    run = box.run(job(GOOD + "\nraise ValueError('after')"))
    assert run.runs["one"].status == "ran"
    assert run.cells[3].status == "raised"


def test_time_is_kept_for_each_step(box):
    began = time.monotonic()
    run = box.run(job("import time\ndef D_KL(mu, logvar):\n    time.sleep(60)"))
    assert run.runs["one"].status == "timeout"
    assert time.monotonic() - began < 20


def test_no_more_memory_than_allowed(box):
    run = box.run(job("def D_KL(mu, logvar):\n    return torch.ones(1 << 40)"))
    assert run.runs["one"].status == "memory"


def test_the_given_cells_must_run(box):
    broken = Job("assignments.kl_divergence.probes", ("1 / 0",), (), (CellSource(3, GOOD, ("kl.D_KL",)),), (call(),))
    with pytest.raises(SandboxError, match="given cells do not run: ZeroDivisionError"):
        box.run(broken)
    assert box.run(job(GOOD)).runs["one"].status == "ran"


def test_a_killed_zygote_is_replaced(box):
    before = box.pid
    os.kill(zygote_pid(box), signal.SIGKILL)
    with pytest.raises(SandboxError):
        box.run(job(GOOD))
    assert box.run(job(GOOD)).runs["one"].status == "ran"
    assert box.pid != before


def test_the_scratch_folder_is_empty_for_the_next(box):
    write = "import os\nos.makedirs('a/b')\nopen('a/b/c', 'w').write('x')\nos.symlink('/', 'link')\n"
    look = "import os\nleft = len(os.listdir('.'))\ndef D_KL(mu, logvar):\n    return left"
    assert box.run(job(write + GOOD)).cells[3].status == "ran"
    assert box.run(job(look)).runs["one"].values["value"] == 0


def test_a_cell_that_answers_two_tasks_runs_once():
    sources = [TaskSource("a", 5, "x"), TaskSource("b", 5, "x"), TaskSource("c", 2, "y")]
    assert merge_cells(sources) == (CellSource(2, "y", ("c",)), CellSource(5, "x", ("a", "b")))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_that_cannot_be_another_user_has_no_capabilities():
    """Without Landlock, so that the process can look at itself in /proc."""
    look = "def D_KL(mu, logvar):\n    text = open('/proc/self/status').read()\n    return int(text.split('CapEff:')[1].split()[0], 16)"
    with Box([NOTEBOOK], max_tier="D") as weak:
        assert weak.tier == "D"
        assert weak.run(job(look)).runs["one"].values["value"] == 0


def test_a_box_that_cannot_start_says_the_last_words():
    with pytest.raises(SandboxError, match="no_such_assignment"), Box(["no_such_assignment"]):
        pass


def test_references_may_not_lie_where_submissions_read(monkeypatch):
    assert all("references" not in path for path in shown.readable_paths([NOTEBOOK]))
    monkeypatch.setattr(sys, "prefix", str(shown.PROJECT))
    with pytest.raises(SandboxError, match="move the project elsewhere"):
        shown.readable_paths([NOTEBOOK])


# ---------------------------------------------------------------- what the zygote's memory holds, seen from outside


def memory_holds(pid: int, *needles: bytes) -> list[bool]:
    found = [False] * len(needles)
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            bounds, rights = line.split()[:2]
            if "r" not in rights or "[v" in line:
                continue
            start, end = (int(part, 16) for part in bounds.split("-"))
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except OSError:
                continue
            found = [known or needle in data for known, needle in zip(found, needles, strict=True)]
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read another process's memory")
def test_the_zygote_holds_no_submission_and_no_reference(box):
    references = load_references(NOTEBOOK)
    expected = next(
        values["value"] for call, values in references.outputs.items() if call.startswith("kl.gaussians.values")
    )
    solution = references.solution[0].source.split('"""')[-1].strip().encode()
    mark = b"MARK_OF_THE_" + b"SUBMISSION_BEFORE"
    box.run(job(f"note = '{mark.decode()}'\n{GOOD}", call("public"), call("hidden", is_public=False)))
    box.run(job(references.solution[0].source))
    needles = (mark, expected.tobytes(), solution)
    assert all(len(needle) > 20 for needle in needles)
    assert memory_holds(os.getpid(), *needles) == [True] * 3, "the search itself finds what is there"
    assert memory_holds(zygote_pid(box), *needles) == [False] * 3
    (known,) = memory_holds(zygote_pid(box), b"assignments.kl_divergence.probes")
    assert known, "it is the zygote that was searched"
