"""A question moves from one notebook to another: two folders are touched, and all that is made from them follows."""

import hashlib
import json
import shlex
from pathlib import Path

import pytest
from pages import PROJECT, run

PYTHON = ".venv/bin/python"
END = {
    "notebook.py": "# %%\nhand_in(",
    "checks.py": "\n)\n",
}  # a question stands in front of these, elsewhere at the end
BEGINS = {
    "notebook.py": "# ### 1.1 ", "probes.py": "def standardise(", "checks.py": "    Check(", "slips.py": "# %% ",
    "right.py": "# %% ", "attacks.py": "# %% ",
}  # fmt: skip


def _run(command: str) -> None:
    done = run(command, PROJECT)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def _question(folder: Path) -> dict[str, str]:
    """All that an assignment's files hold of its question, by file; under another name, so that both can stand beside each other."""
    found = {}
    for name, begin in BEGINS.items():
        text = (folder / name).read_text(encoding="utf-8")
        text = text[text.index(begin) :]
        text = text[: text.rindex(END[name]) + (name == "checks.py")] if name in END else text
        found[name] = text.replace("standardise", "rescale").replace("### 1.1", "### 1.2")
    return found | {"notebook.py": "# %% [markdown]\n" + found["notebook.py"]}


def _put(question: dict[str, str], folder: Path) -> None:
    for name, text in question.items():
        old = (folder / name).read_text(encoding="utf-8")
        place = old.rindex(END[name]) + (name == "checks.py") if name in END else len(old)
        between = "\n\n" if name not in END else ""
        (folder / name).write_text(old[:place] + between + text + old[place:], encoding="utf-8")


def _take(question: dict[str, str], folder: Path) -> None:
    for name, text in question.items():
        old = (folder / name).read_text(encoding="utf-8")
        assert old.count(text) == 1, name
        (folder / name).write_text(old.replace(text, "").rstrip("\n") + "\n", encoding="utf-8")


def _files(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """The course after the move, and the files that were touched for it."""
    root = tmp_path_factory.mktemp("moved away") / "course"
    quoted = shlex.quote(str(root))
    for name in ("first", "second"):
        _run(f"{PYTHON} -m tools.new_assignment {name} --course {quoted}")
    first, second = (root / "assignments" / name for name in ("first", "second"))
    question = _question(second)
    _put(question, second)
    _run(f"{PYTHON} -m tools.notebooks --course {quoted}")
    before = _files(root)
    _take(question, second)
    _put({name: text.replace("second.", "first.") for name, text in question.items()}, first)
    after = _files(root)
    _run(f"{PYTHON} -m tools.notebooks --course {quoted}")
    _run(f"{PYTHON} -m tools.references --course {quoted}")
    _run(f"make grade COURSE={quoted}")
    return root, {name for name in {*before, *after} if before.get(name) != after.get(name)}


def test_two_folders_are_touched(moved: tuple[Path, set[str]]) -> None:
    _, touched = moved
    assert {Path(name).parent.as_posix() for name in touched} == {"assignments/first", "assignments/second"}


def test_the_question_is_asked_and_graded_in_its_new_place_alone(moved: tuple[Path, set[str]]) -> None:
    root, _ = moved
    found = [json.loads(path.read_text(encoding="utf-8")) for path in root.glob("results/**/results.json")]
    results = {one["extra_data"]["student"]: one for one in found}
    assert (results["first_solved"]["score"], results["second_solved"]["score"]) == (8, 4)
    slips = [name for name in results if name.startswith("first_slip_")]
    assert len(slips) == 3
    assert "rescale" in (root / "notebooks" / "01_first.ipynb").read_text(encoding="utf-8")
    assert "rescale" not in (root / "notebooks" / "02_second.ipynb").read_text(encoding="utf-8")
