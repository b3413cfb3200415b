"""Whatever our code imports is pinned by name: nothing comes along with something else by luck."""

import ast
import re
import sys
from importlib.metadata import packages_distributions

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
    text = (PROJECT / "requirements.txt").read_text(encoding="utf-8")
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
