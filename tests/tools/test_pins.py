"""Whatever our code imports is pinned by name: nothing comes along with something else by luck."""

import ast
import re
import subprocess
import sys
from collections import Counter
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from pages import PROJECT

# IPython's newest version depends on Python's: it comes with ipykernel, which is pinned. `google.colab` is there on Colab alone.
ELSEWHERE = {"IPython", "google"}
OURS = {"assignments", "data", "grader", "tests", "tools", "utils"}


def _imported() -> dict[str, str]:
    """Top-level modules that are neither ours nor Python's, each with a file that imports it."""
    found = {}
    for part in ("assignments", "data", "grader", "tools", "utils"):
        for path in (PROJECT / part).rglob("*.py"):
            if "template" in path.parts or path.name in ("slips.py", "right.py", "attacks.py"):
                continue  # cells, not modules
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0]: str(path) for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found[node.module.split(".")[0]] = str(path)
    return {name: path for name, path in found.items() if name not in OURS and name not in sys.stdlib_module_names}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_import_is_pinned() -> None:
    files = ("requirements.txt", "requirements-cluster.txt")  # the second for who grades on many machines
    text = "\n".join((PROJECT / file).read_text(encoding="utf-8") for file in files)
    pinned = {_plain(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    distributions = packages_distributions()
    imported = _imported()
    assert {"numpy", "torch", "PIL", "nbformat", "nbclient", "scipy"} <= imported.keys()
    unpinned = {
        name: path
        for name, path in imported.items()
        if name not in ELSEWHERE and not any(_plain(one) in pinned for one in distributions.get(name, [name]))
    }
    assert unpinned == {}


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_for_each_python_a_package_is_pinned_once(python: str) -> None:
    """Two pins of one package, and pip can install neither; on the Python at hand the second may be the same as the first."""
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(text) for line in lines if (text := line.partition("#")[0].strip())]
    there = {"python_version": python, "python_full_version": f"{python}.0"}
    counted = Counter(_plain(one.name) for one in wanted if one.marker is None or one.marker.evaluate(there))
    assert counted["numpy"] == 1
    assert [name for name, count in counted.items() if count > 1] == []


def test_what_reads_notebooks_makes_no_parser_of_addresses() -> None:
    """jsonschema brings one, from 4.25 on, to every kernel, PDF and page: a second each, for a format that no notebook names."""
    code = "import sys, nbformat, nbconvert.exporters, jupyter_client; print(sorted({'lark', 'rfc3987_syntax'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert run.stdout == "[]\n"
