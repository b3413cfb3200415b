"""docs/authoring.md, its first parts: followed to the letter on a copy of the project, they give a question and a notebook."""

import json
import re
from pathlib import Path

import pytest
from pages import PROJECT, blocks, commands, copy_project, run

from utils.assignments.places import place_of

PAGE = (PROJECT / "docs" / "authoring.md").read_text(encoding="utf-8").partition("\n## A course of one's own\n")[0]
STEP = re.compile(
    r"^\*\*`(?P<path>[\w/.]+)`\*\*, (?P<where>[^\n]+):\n\n```(?:python|toml)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
NAME, FIFTH = "01_kl_divergence", "05_flows"


def _follow(root: Path) -> None:
    for step in STEP.finditer(PAGE):
        path, where, text = root / step["path"], step["where"], step["text"]
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        assert bool(old) == (where != "a new file"), f"{step['path']}, {where}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(_placed(old, where, text), encoding="utf-8")


def _placed(old: str, where: str, text: str) -> str:
    if where in ("a new file", "at the end"):
        return f"{old}\n\n{text}" if old else text
    if where == "at the end of `CHECKS`":
        end = old.rindex("\n)") + 1
        return old[:end] + text + old[end:]
    heading = re.fullmatch(r"in front of the cell `(.+)`", where)
    assert heading, f"nobody knows where {where!r} is"
    mark = f"# %% [markdown]\n# {heading[1]}\n"
    assert old.count(mark) == 1
    return old.replace(mark, f"{text}\n{mark}")


def _keep_only_the_new_slips(root: Path) -> None:
    """Building the references of all other questions too would take most of this test's time."""
    path = root / "assignments" / place_of(NAME).folder / "slips.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[text.index("# %% kl.entropy") :], encoding="utf-8")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The copy after the page's blocks are in it and its commands have run, and what each printed."""
    root = copy_project(tmp_path_factory.mktemp("project") / "copy", NAME)
    _follow(root)
    _keep_only_the_new_slips(root)
    shown = {}
    for command in _together(commands(PAGE)):
        done = run(command, root)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        shown[command] = done.stdout
    return root, shown


def _together(lines: list[str]) -> list[str]:
    """Each program of the page once, for both notebooks: starting one is most of what it costs."""
    joined: dict[str, list[str]] = {}
    for line in lines:
        program, argument = re.fullmatch(r"(.+?) (\S+)", line).groups()
        joined.setdefault(program, []).append(argument)
    return [
        f"{program} '{' or '.join(arguments)}'" if program.endswith("-k") else f"{program} {' '.join(arguments)}"
        for program, arguments in joined.items()
    ]


def test_every_block_has_its_place() -> None:
    assert (
        len(STEP.findall(PAGE)) == len([block for block in blocks(PAGE) if block.language in ("python", "toml")]) == 11
    )


def test_the_grader_s_part_of_a_question_is_as_short_as_promised() -> None:
    folder = f"assignments/{place_of(NAME).folder}"
    texts = {step["path"]: step["text"].strip().splitlines() for step in STEP.finditer(PAGE)}
    counted = [texts[f"{folder}/{part}"] for part in ("probes.py", "checks.py")]
    slips = [line for line in texts[f"{folder}/slips.py"] if line.startswith("# replace")]
    assert sum(map(len, counted)) + 2 * len(slips) <= 10  # a slip: its sentence and its replacement


def test_right_answers_pass_and_slips_are_named(built: tuple[Path, dict[str, str]]) -> None:
    _, shown = built
    (tested,) = [text for command, text in shown.items() if "pytest" in command]
    n_answers = sum(step["text"].count("# %% kl.") + step["text"].count("# %% flow.") for step in STEP.finditer(PAGE))
    assert int(re.search(r"(\d+) passed", tested)[1]) >= n_answers
    assert "failed" not in tested


def test_the_new_question_is_in_the_notebook_and_in_the_references(built: tuple[Path, dict[str, str]]) -> None:
    root, _ = built
    for name, task in ((NAME, "kl.entropy"), (FIFTH, "flow.affine")):
        manifest = json.loads(
            (root / "assignments" / place_of(name).folder / "manifest.json").read_text(encoding="utf-8")
        )
        assert task in [question["id"] for question in manifest["questions"]]
        notebook = (root / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
        assert "raise NotImplementedError" in notebook
        assert "BEGIN SOLUTION" not in notebook
        slips = json.loads(
            (root / "assignments" / place_of(name).folder / "references" / "about.json").read_text(encoding="utf-8")
        )["slips"]
        assert sum(slip["task"] == task for slip in slips) == 3


def test_every_file_and_test_the_page_names_is_there(built: tuple[Path, dict[str, str]]) -> None:
    root, _ = built
    for path in re.findall(r"`((?:tests|assignments|grader|utils|notebooks|examples|tools)/[\w/.]+)`", PAGE):
        assert (root / path).exists() or (PROJECT / path).exists(), path
