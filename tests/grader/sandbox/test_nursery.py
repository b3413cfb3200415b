"""A nursery: what it forks is confined as what is started by itself, knows no other, and ends with whom it belongs to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from grader.sandbox import box as boxes
from grader.sandbox import linux
from grader.sandbox.box import Box
from grader.sandbox.watch import SandboxError
from grader.sandbox.zygotes import Nursery
from tests.attacks.few_forks import REFUSALS
from tests.places import why_not

from .test_box import GOOD, NOTEBOOK, call, job, zygote_pid

pytestmark = pytest.mark.skipif(not linux.IS_LINUX, reason="nothing is forked elsewhere")
LOOK = """
import torch
os = torch.sys.modules["os"]


def D_KL(mu, logvar):
    kinds = {"uid": os.getuid(), "pid": os.getpid(), "parent": os.getppid()}
    for fd in range(1024):
        try:
            os.fstat(fd)
        except OSError:
            continue
        kinds[str(fd)] = fd
    return torch.tensor(list(kinds.values()))
"""


@pytest.fixture(params=["A", "B", "C", "B-", "D"])
def pair(nursery: Nursery, request: pytest.FixtureRequest) -> Iterator[tuple[Box, Box]]:
    """A sandbox that the nursery has forked, and one that was started by itself."""
    if request.param != "D" and (reason := why_not(request.param)):
        pytest.skip(reason)
    with Box([NOTEBOOK], request.param, nursery=nursery.requests) as forked, Box([NOTEBOOK], request.param) as own:
        yield forked, own


def _fds(pid: int) -> list[str]:
    """What a process holds open, but for numbers: sockets and pipes by their kind."""
    return sorted(os.readlink(path).partition(":")[0] for path in Path(f"/proc/{pid}/fd").iterdir())


def test_it_is_confined_as_one_of_its_own(pair: tuple[Box, Box]) -> None:
    forked, own = pair
    assert forked.tier == own.tier
    runs = [box.run(job(GOOD, call("public"), call("hidden", is_public=False))) for box in pair]
    for name in ("public", "hidden"):
        values = [run.runs[name].values["value"] for run in runs]
        np.testing.assert_array_equal(*values)
    seen = [box.run(job(LOOK)).runs["one"].values["value"].tolist() for box in pair]
    # the same descriptors; in namespaces the same process number too, as the first there
    assert seen[0][3:] == seen[1][3:]
    assert seen[0][0] != seen[1][0] or os.geteuid() or forked.tier in "CD"
    if os.geteuid() == 0:
        assert _fds(zygote_pid(forked)) == _fds(zygote_pid(own))


def test_no_two_of_a_nursery_reach_one_another(nursery: Nursery) -> None:
    """In namespaces, neither sees the other's processes; the descriptors of one are in no other."""
    with Box([NOTEBOOK], nursery=nursery.requests) as one, Box([NOTEBOOK], nursery=nursery.requests) as two:
        if one.tier != "A":
            pytest.skip("no namespaces here")
        for kind in ("pid", "net", "ipc", "mnt"):
            spaces = {os.readlink(f"/proc/{zygote_pid(box)}/ns/{kind}") for box in (one, two)} | {
                os.readlink(f"/proc/self/ns/{kind}")
            }
            assert len(spaces) == 3
        held = [
            {os.readlink(path) for path in Path(f"/proc/{zygote_pid(box)}/fd").iterdir()} - {"/dev/null"}
            for box in (one, two)
        ]
        own = [{one for one in fds if one.startswith(("socket", "pipe"))} for fds in held]
        assert all(own)
        assert own[0].isdisjoint(own[1])


ASKS_AND_HANGS = """
import socket, sys
from grader.sandbox.box import Box
from tests.grader.sandbox.test_box import NOTEBOOK, job
with Box([NOTEBOOK], nursery=socket.socket(fileno=int(sys.argv[1]))) as box:
    print(box.pid, flush=True)
    box.step_seconds = 300.0
    box.run(job("while True:\\n    pass"))
"""


def test_what_nobody_waits_for_ends_though_the_nursery_lives(nursery: Nursery) -> None:
    """A worker is killed while its submission computes: nothing of that goes on computing."""
    assert nursery.requests is not None
    fd = nursery.requests.fileno()
    asking = subprocess.Popen(
        [sys.executable, "-c", ASKS_AND_HANGS, str(fd)],
        pass_fds=[fd],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert asking.stdout is not None
    with asking.stdout as stream:
        top = psutil.Process(int(stream.readline()))
    deadline = time.monotonic() + 30
    while not any(process.cpu_times().user > 0.05 for process in _below(top)) and time.monotonic() < deadline:
        time.sleep(0.05)
    below = _below(top)
    assert below
    asking.kill()
    asking.wait()
    _, alive = psutil.wait_procs([top, *below], timeout=10)
    assert alive == []
    with Box([NOTEBOOK], nursery=nursery.requests) as box:
        assert box.run(job(GOOD)).runs["one"].status == "ran"


def _below(top: psutil.Process) -> list[psutil.Process]:
    return [one for one in top.children(recursive=True) if not one.children()]


def test_a_sandbox_whose_nursery_was_killed_starts_by_itself() -> None:
    with Nursery(tensors=False) as nursery, Box([], nursery=nursery.requests) as box:
        forked = psutil.Process(box.pid)
        parent = forked.parent()
        assert parent is not None
        assert parent.ppid() == os.getpid()
        parent.kill()
        psutil.wait_procs([forked], timeout=10)
        assert not forked.is_running() or forked.status() == psutil.STATUS_ZOMBIE
        box.close()
        box.start()
        assert psutil.Process(box.pid).ppid() == os.getpid()


def test_nothing_outlives_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import signal\nfrom grader.sandbox.box import Box\nfrom grader.sandbox.zygotes import Nursery\n"
        "nursery = Nursery(tensors=False)\nbox = Box([], nursery=nursery.requests)\nbox.start()\n"
        "print(box.pid, flush=True)\nsignal.pause()\n"
    )
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
    assert run.stdout is not None
    with run.stdout as stream:
        process = psutil.Process(int(stream.readline()))
    family = [process, *process.parents()[:1], *process.children()]
    run.send_signal(signal.SIGKILL)
    run.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_what_does_not_load_is_said_and_the_nursery_goes_on(nursery: Nursery) -> None:
    nursery.load(["no_such_assignment"])
    with pytest.raises(SandboxError, match="no_such_assignment"), Box(["no_such_assignment"], nursery=nursery.requests):
        pass
    with Box([], nursery=nursery.requests) as box:
        assert box.tier


def test_a_refused_fork_is_asked_for_again(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(boxes, "_LOOK_AGAIN_SECONDS", 0.01)
    with Nursery(tensors=False, module="tests.attacks.few_forks") as nursery, Box([], nursery=nursery.requests) as box:
        assert box.tier
    assert REFUSALS > 1
    assert "The system has no room for another process: waiting for room." in capsys.readouterr().err


def test_an_answer_makes_an_optimizer_where_the_notebook_hides_what_that_loads(nursery: Nursery) -> None:
    """The first optimizer imports `torch.distributions`, which notebook 1 rules out: it must have been made before."""
    source = "def D_KL(mu, logvar):\n    torch.optim.Adam([torch.ones(3).requires_grad_()])\n    return torch.ones(3)"
    with Box([NOTEBOOK], nursery=nursery.requests) as forked, Box([NOTEBOOK]) as own:
        for box in (forked, own):
            assert box.run(job(source)).runs["one"].status == "ran"
