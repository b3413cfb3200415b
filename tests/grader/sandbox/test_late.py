"""A package that few answers ask for: absent until somebody does, there for everybody who does."""

import subprocess
import sys

import pytest

from grader.sandbox.box import Box
from grader.sandbox.late import named_in
from tests.places import PROJECT, why_not

from .test_box import NOTEBOOK, call, job

GIVEN = ("import math\nimport matplotlib.pyplot as plt", "from matplotlib import cm as colours\nx = 1")
NAMED = {
    "plt.plot([1])": True,
    "import matplotlib.pyplot": True,
    "colours.viridis": True,
    "def plot(axis):\n    return axis.plt_like": False,
    "x = 'plot'": False,
}
# Each asks without a word that the text would tell.
ROUNDABOUT = {
    "a module": "p = __import__('mat' + 'plotlib.py' + 'plot').pyplot",
    "a name of one": "p = getattr(__import__('importlib').import_module('mat' + 'plotlib'), 'py' + 'plot')",
    "what the import cell brought": "p = globals()['p' + 'lt']",
}
DRAWS = """
def D_KL(mu, logvar):
    {ask}
    figure = p.figure()
    p.plot([1, 2])
    p.title("a word")
    figure.canvas.draw()
    p.close(figure)
    return mu.sum() + float(len(p.get_fignums()))
"""
STAND_IN = """
import sys
from grader.sandbox import late
late.put_off()
late.put_off()
import matplotlib.axes
import matplotlib.pyplot as plt
assert "numpy" not in sys.modules and len(sys.meta_path) < 10
assert not hasattr(plt, "__file__") and not hasattr(matplotlib, "__wrapped__")
assert "numpy" not in sys.modules  # who only asks what Python asks of every module gets no package for it
{ask}
assert "numpy" in sys.modules
from matplotlib.figure import Figure
assert isinstance(plt.figure(), Figure) and plt.Figure is Figure and matplotlib.axes.Axes
assert not any(type(finder).__module__ == late.__name__ for finder in sys.meta_path)
"""


@pytest.mark.parametrize(("answer", "is_named"), NAMED.items())
def test_the_text_tells_who_asks(answer: str, is_named: bool) -> None:
    assert named_in(["y = 2", answer], GIVEN) == (("matplotlib",) if is_named else ())
    assert named_in([answer], ()) == (("matplotlib",) if "matplotlib" in answer else ())


@pytest.mark.parametrize("ask", ["plt.plot", "matplotlib.__version__", "from matplotlib.ticker import MaxNLocator"])
def test_a_stand_in_becomes_what_it_stands_for(ask: str) -> None:
    code = [sys.executable, "-c", STAND_IN.format(ask=ask)]
    run = subprocess.run(code, capture_output=True, text=True, check=False, cwd=PROJECT, encoding="utf-8")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("tier", ["A", "B", "C", "D", "E"])
def test_an_answer_draws_whether_its_text_says_so_or_not(tier: str) -> None:
    if reason := why_not(tier):
        pytest.skip(reason)
    given = ("import matplotlib.pyplot as plt\nimport torch",)
    with Box([NOTEBOOK], tier) as box:
        for ask in ROUNDABOUT.values():  # each in a process of its own
            asked = job(DRAWS.format(ask=ask), call("one"))
            asked = type(asked)(asked.probes, given, asked.not_allowed, asked.cells, asked.calls)
            first = box.run(asked).runs["one"]
            assert first.status == "ran", first.error
            assert first.values["value"] == 6.0


def test_a_zygote_that_lacks_the_package_makes_way_for_one_that_has_it() -> None:
    with Box([NOTEBOOK]) as box:
        asked = job("import sys\ndef D_KL(mu, logvar):\n    return 'matplotlib.backend_bases' in sys.modules")
        first = box.pid
        box.load(NOTEBOOK)
        assert (box.pid, bool(box.run(asked).runs["one"].values["value"])) == (first, box.tier in ("B", "D"))
        box.load(NOTEBOOK, ["matplotlib"])
        assert box.run(asked).runs["one"].values["value"]
        second = box.pid
        box.load(NOTEBOOK)  # who does not ask is content with it
        assert box.pid == second != first
