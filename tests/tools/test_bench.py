"""The bench's own arithmetic, and what it says where another grader is not installed."""

import sys

import pytest

from tools.bench import __main__ as bench
from tools.bench import arrivals, others


def test_arrivals_grow_up_to_the_deadline() -> None:
    at = arrivals.arrivals(3000, per_second=10)
    assert at == sorted(at) == arrivals.arrivals(3000, per_second=10)
    assert 0 <= at[0] < at[-1] <= 300
    assert sum(one > 150 for one in at) == pytest.approx(2250, rel=0.05)


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(n) for n in range(200, 0, -1)]
    assert [arrivals.percentile(values, share) for share in (50, 99, 100)] == [100, 198, 200]
    assert arrivals.percentile([3.0], 50) == 3


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(others.VARIABLE, sys.executable)
    monkeypatch.setattr(others, "OTHERS", tuple(others.Other(n, f"no-{n}", None, None) for n in ("one", "two")))  # type: ignore[arg-type]
    assert bench.main(["others"]) == 0
    said = capsys.readouterr().out
    assert f"Not measured: one and two, not installed for {sys.executable} ({others.VARIABLE})." in said
    assert "| what |" not in said
