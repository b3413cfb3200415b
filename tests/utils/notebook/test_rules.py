"""The import rule: what is allowed passes however it is written, what is not is found, and what the text hides fails."""

import ast

import pytest

from utils.assignments import load_assignment
from utils.notebook.rules import _HARMLESS, forbidden_uses, harmless_imports, remark_on_imports

ASSIGNMENT = load_assignment("01_kl_divergence")


def uses(source: str) -> list[str]:
    return [what for _, what in forbidden_uses(ast.parse(source), ASSIGNMENT.imports, ASSIGNMENT.not_allowed)]


@pytest.mark.parametrize(
    "source",
    [
        "import math", "import torch as t", "import torch.nn as nn, numpy", "from torch import nn, Tensor", "from math import *",
        "import torch.nn.functional as F", "from torch.nn.functional import softplus", "import matplotlib.cm",
        "from utils import set_seed", "from utils.plotting import divergence", "from __future__ import annotations",
        "def f(x):\n    import numpy.linalg\n    return x", "model.eval()", "re.compile", "x = getattr(torch, 'exp')(y)",
        "distributions = 3", "x.distribution", "'torch.distributions'", "# torch.distributions", "executor = 1",
    ],
)  # fmt: skip
def test_what_is_allowed(source):
    assert uses(source) == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import os", "import os"),
        ("import scipy.stats as st", "import scipy.stats"),
        ("import torchvision", "import torchvision"),
        ("import mathematics", "import mathematics"),
        ("from os import path", "from os import path"),
        ("from . import x", "from . import x"),
        ("from .. import utils", "from . import utils"),
        ("from .torch import nn", "from torch import nn"),
        ("try:\n    import math, os\nexcept Exception: pass", "import os"),
        ("def f():\n    def g():\n        import subprocess", "import subprocess"),
        ("import torch.distributions", "import torch.distributions"),
        ("import torch.distributions as d", "import torch.distributions"),
        ("import torch.distributions.normal", "import torch.distributions.normal"),
        ("from torch import distributions", "from torch import distributions"),
        ("from torch import nn, distributions as d", "from torch import distributions"),
        ("from torch.distributions import Normal", "from torch.distributions import Normal"),
        ("from torch.distributions.kl import kl_divergence", "from torch.distributions.kl import kl_divergence"),
        ("torch.distributions.Normal(0, 1)", "torch.distributions"),
        ("t = torch\nt.distributions", "torch.distributions"),
        ("getattr(torch, 'distributions')", "torch.distributions"),
        ("getattr(torch, 'distributions', None)", "torch.distributions"),
        ("__import__('os')", "__import__"),
        ("exec('import os')", "exec"),
        ("f = eval", "eval"),
        ("compile('', '', 'exec')", "compile"),
    ],
)
def test_what_is_not(source, what):
    assert uses(source) == [what]


def test_the_lines_are_the_students_and_in_order():
    source = "import torch\n\nimport os\nx = eval('1')\nimport sys"
    found = forbidden_uses(ast.parse(source), ASSIGNMENT.imports, ASSIGNMENT.not_allowed)
    assert found == [(3, "import os"), (4, "eval"), (5, "import sys")]


def test_a_notebook_that_rules_nothing_out_allows_its_packages():
    assert forbidden_uses(ast.parse("import torch.distributions"), ["torch"], []) == []


@pytest.mark.parametrize("module", sorted(_HARMLESS))
@pytest.mark.parametrize("spelling", ["import {}", "import {} as m", "from {} import *", "def f():\n    import {}"])
def test_a_harmless_module_is_allowed_in_any_spelling_and_remarked_on(module, spelling):
    tree = ast.parse(spelling.format(module))
    assert forbidden_uses(tree, ["torch"], []) == []
    assert (remark_on_imports(tree, ["torch"]) == "") == (module == "__future__")


DOORS = (
    "asyncio", "builtins", "code", "ctypes", "gc", "glob", "http", "importlib", "inspect", "io", "linecache", "marshal", "mmap",
    "multiprocessing", "os", "pathlib", "pickle", "pkgutil", "posix", "resource", "runpy", "shelve", "shutil", "signal",
    "site", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "urllib", "zipimport",
)  # fmt: skip


@pytest.mark.parametrize("module", DOORS)
def test_a_door_to_files_processes_or_modules_is_none_of_them(module):
    assert uses(f"import {module}") == [f"import {module}"]


def test_what_a_remark_says():
    tree = ast.parse("from functools import partial\nimport torch\nimport collections.abc, time\nimport math")
    assert harmless_imports(tree, ASSIGNMENT.imports) == [(1, "functools"), (3, "collections.abc"), (3, "time")]
    said = "imports `collections.abc` and `functools` and `time` of the standard library, which is allowed"
    assert remark_on_imports(tree, ASSIGNMENT.imports) == said
    assert remark_on_imports(ast.parse("import torch"), ASSIGNMENT.imports) == ""


def test_what_the_notebook_rules_out_stays_out_though_its_package_is_there():
    assert forbidden_uses(ast.parse("import statistics"), ["torch"], ["statistics"]) == [(1, "import statistics")]
