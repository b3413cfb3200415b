"""The pool: processes that die are replaced, their work is tried once more, and none outlives its run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from grader.classes.pool import Here, WorkerDied, Workers
from tests.mortals import die_once, nothing

SCRIPT = """
import os, sys, time
from grader.classes.pool import Workers
from tests.mortals import nothing
if __name__ == "__main__":
    with Workers(1, nothing) as workers:
        print(workers.submit(os.getpid).result(), flush=True)
        workers.submit(time.sleep, 600).result()
"""


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(2, nothing) as running:
        yield running


def test_work_is_done_in_other_processes(workers: Workers) -> None:
    pids = {workers.submit(os.getpid).result() for _ in range(4)}
    assert os.getpid() not in pids
    assert len(pids) <= 2
    assert list(workers.map(abs, [-1, 2, -3])) == [1, 2, 3]


def test_what_a_function_raises_arrives(workers: Workers) -> None:
    with pytest.raises(FileNotFoundError):
        workers.submit(os.stat, "/there/is/no/such/file").result()


def test_work_whose_worker_died_is_tried_once_more(workers: Workers, tmp_path) -> None:
    assert workers.submit(die_once, str(tmp_path / "marker")).result() == "alive"


def test_work_that_kills_its_worker_twice_is_given_up(workers: Workers) -> None:
    futures = [workers.submit(os._exit, 1), *(workers.submit(abs, -n) for n in range(6))]
    with pytest.raises(WorkerDied):
        futures[0].result()
    assert [future.result() for future in futures[1:]] == list(range(6))


def test_a_worker_is_replaced_when_what_forked_it_has_gone_too(workers: Workers) -> None:
    ours = [workers.submit(os.getpid).result(), workers.submit(os.getppid).result()]
    if ours[1] == os.getpid():
        pytest.skip("workers are started one by one here")
    for pid in ours[::-1]:
        os.kill(pid, signal.SIGKILL)
    assert [workers.submit(abs, -n).result() for n in range(4)] == list(range(4))
    assert workers.submit(os.getppid).result() != ours[1]


def test_a_worker_has_the_environment_of_who_starts_it(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """What forks it may be older."""
    monkeypatch.setenv("GRADER_OF_NOW", "yes")
    with Workers(1, nothing) as later:
        assert later.submit(os.getenv, "GRADER_OF_NOW").result() == "yes"
        assert later.submit(os.getppid).result() == workers.submit(os.getppid).result()


def test_a_worker_killed_from_outside_is_replaced(workers: Workers) -> None:
    os.kill(workers.submit(os.getpid).result(), signal.SIGKILL)
    os.kill(workers.submit(os.getpid).result(), signal.SIGKILL)
    assert [workers.submit(abs, -n).result() for n in range(4)] == list(range(4))


def test_no_worker_outlives_its_run(tmp_path) -> None:
    (tmp_path / "main.py").write_text(SCRIPT, encoding="utf-8")
    path = os.pathsep.join(entry for entry in sys.path if entry)
    run = subprocess.Popen(
        [sys.executable, tmp_path / "main.py"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        encoding="utf-8",
    )
    assert run.stdout is not None
    worker = int(run.stdout.readline())
    run.kill()
    run.wait()
    run.stdout.close()
    deadline = time.monotonic() + 20
    while _is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(worker)


def _is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def test_the_same_interface_without_a_pool() -> None:
    with Here() as here:
        assert here.submit(os.getpid).result() == os.getpid()
        with pytest.raises(ZeroDivisionError):
            here.submit(divmod, 1, 0).result()
