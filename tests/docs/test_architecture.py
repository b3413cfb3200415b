"""docs/architecture.md is true: what it names exists, and what it says of imports holds."""

import ast
import re
from pathlib import Path

import pytest
from pages import PROJECT

from grader import records

PAGE = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
STAGES = ("grader.stages.intake", "grader.stages.notebook", "grader.sandbox", "grader.stages.compare", "grader.report")
TOP = ("notebooks", "assignments", "utils", "grader", "tools", "examples", "tests", "data", "docs")


def _imports(path: Path) -> set[str]:
    """The modules that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _files(module: str) -> list[Path]:
    path = PROJECT / module.replace(".", "/")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def _is_in(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def test_every_path_and_record_it_names_exists() -> None:
    paths = [code for code in re.findall(r"`([\w/.]+)`", PAGE) if code.split("/")[0] in TOP]
    assert len(paths) > 30
    assert [path for path in paths if not (PROJECT / path).exists()] == []
    named = set(re.findall(r"`([A-Z]\w+)`", PAGE.partition("## Where do I change")[0]))
    assert named - {"Check", "Probe"} == {"Submission", "Reading", "Job", "SandboxRun", "Measured", "Verdict", "Report"}
    assert [name for name in named - {"Check", "Probe"} if not hasattr(records, name)] == []


def test_where_to_change_what() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| (`[^|]+`) \| `([^|]+)` \|$", PAGE.partition("## Where do I change")[2], re.MULTILINE
    )
    assert len(rows) == 24
    assert len({row[0] for row in rows}) == 24
    for change, files, word in rows:
        paths = re.findall(r"`([^`]+)`", files)
        assert 1 <= len(paths) <= 3, change
        for path in paths:
            assert word in (PROJECT / path).read_text(encoding="utf-8"), (change, path)


def test_every_folder_is_named() -> None:
    folders = {path.name for path in PROJECT.iterdir() if (path / "__init__.py").exists()} | {"notebooks", "tests"}
    assert [folder for folder in folders if f"| `{folder}` |" not in PAGE] == []


@pytest.mark.parametrize("stage", STAGES)
def test_the_stages_do_not_import_each_other(stage: str) -> None:
    others = [other for other in STAGES if other != stage]
    assert _files(stage)
    crossing = [
        (path.name, name)
        for path in _files(stage)
        for name in _imports(path)
        if any(_is_in(name, other) for other in others)
    ]
    assert crossing == []


def test_the_grader_needs_no_tools_and_utils_needs_neither() -> None:
    used = {name for path in (PROJECT / "utils").rglob("*.py") for name in _imports(path)}
    assert not [name for name in used if _is_in(name, "grader") or _is_in(name, "tools")]
    used = {name for path in (PROJECT / "grader").rglob("*.py") for name in _imports(path)}
    assert not [name for name in used if _is_in(name, "tools")]


def test_nothing_that_runs_in_the_child_imports_references_or_checks() -> None:
    inside = [path for module in ("grader.probe_kit", "grader.sandbox") for path in _files(module)]
    secret = ("grader.rubric.references", "grader.authoring.check", "grader.rubric", "grader.authoring.slips")
    assert [(path.name, n) for path in inside for n in _imports(path) if any(_is_in(n, s) for s in secret)] == []
