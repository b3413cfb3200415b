"""A student's first evening in a real browser, on the student bundle alone; `python -m tests.in_jupyter` spends it with every notebook."""

import importlib.util
from pathlib import Path

import pytest

from tests.in_jupyter.evening import spend
from tests.marking.browser import WHY_NOT, chromium
from tools.notebook_source import source_names

if not WHY_NOT and importlib.util.find_spec("jupyterlab") is None:
    WHY_NOT = "jupyterlab is not installed: a student's page is tried only where it is (requirements.txt)"
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


def test_red_green_run_all_and_hand_in(tmp_path: Path) -> None:
    with chromium() as browser:
        steps = spend(browser, source_names()[0], tmp_path)
    assert len(steps) >= 5, steps
