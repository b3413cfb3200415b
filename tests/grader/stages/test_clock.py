"""The clock over the grader's own work, in the main thread and in others, as engines use them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from grader.stages import clock as clocks
from grader.stages.clock import OutOfTime, clock


@pytest.fixture(autouse=True)
def _no_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "_BUSY", 1)


def _busy(seconds: float) -> str:
    """Work under a clock that allows so much, for ten times as long at most."""
    until = time.monotonic() + 10 * seconds + 5
    try:
        with clock(seconds):
            while time.monotonic() < until:
                pass
    except OutOfTime:
        return "rung"
    return "done"


def test_it_rings_in_the_main_thread_and_in_others() -> None:
    assert _busy(0.1) == "rung"
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(_busy, [0.1, 0.2])) == ["rung", "rung"]


def test_one_that_is_stopped_does_not_ring_later() -> None:
    def work() -> str:
        for _ in range(20):
            with clock(0.1):
                pass
        time.sleep(0.3)
        return "done"

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(work).result() == "done"


def test_the_outer_one_rings_while_an_inner_one_has_time() -> None:
    def work() -> float:
        began = time.monotonic()
        with suppress(OutOfTime), clock(0.1), clock(30):
            while time.monotonic() < began + 10:
                pass
        return time.monotonic() - began

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(work).result() < 5


def test_all_clocks_of_other_threads_share_one() -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: _busy(0.1), range(8)))
    assert sum(thread.name == "clock" for thread in threading.enumerate()) <= 1
