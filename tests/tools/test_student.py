"""The student bundle: all a student needs, the same bytes each time, and not a line of what is to be found out."""

import ast
import itertools
import re
import subprocess
import sys
import zipfile

import pytest

from grader.authoring.slips import load_slips
from tools import student
from tools.notebook_source import read_source, source_names
from tools.open_gaps import TEXT_BEGIN, TEXT_END, split_gaps
from tools.student import main, student_files, write_bundle
from utils.assignments.course import course_file
from utils.assignments.places import place_of

BINARY = (".png", ".npz", ".safetensors")
LONG = 40  # characters without spaces: shorter pieces are idioms that the given code uses too


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return student_files()


@pytest.fixture(scope="module")
def texts(files) -> dict[str, str]:
    """The text files without spaces, and with JSON's escapes undone."""
    return {
        name: squeeze(content.decode().replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\"))
        for name, content in files.items()
        if not name.endswith(BINARY)
    }


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


def pieces(answer: tuple[str, ...]) -> list[str]:
    """What would give an answer away: two lines of it in a row; all of it when it is one long line."""
    lines = [line for line in map(squeeze, answer) if line and not line.startswith("#")]
    pairs = ["".join(pair) for pair in itertools.pairwise(lines)] or ["".join(lines)]
    return [pair for pair in pairs if len(pair) >= LONG]


# All of these are code that the notebooks give elsewhere, on purpose.
GIVEN_ELSEWHERE = {squeeze("optimizer = optim.Adam(model.parameters(), lr=learning_rate)")}


def test_it_holds_what_a_student_needs(files):
    needed = {f"notebooks/{name}.ipynb" for name in source_names()}
    needed |= {f"assignments/{place_of(name).folder}/manifest.json" for name in source_names()}
    needed |= {"README.md", "Makefile", "LICENSE", "requirements.txt", "data/airfoils.npz", "data/README.md"}
    needed |= {"utils/submission/__main__.py", "utils/export/template.typ"}
    assert needed <= set(files)


def test_it_holds_nothing_of_the_staffs(files):
    allowed = {"notebooks", "assignments", "utils", "data", "README.md", "Makefile", "LICENSE", "requirements.txt"}
    assert {name.split("/")[0] for name in files} == allowed
    assert not [name for name in files if "solutions" in name or "test" in name or "__pycache__" in name]
    requirements = files["requirements.txt"].decode()
    assert "torch==" in requirements
    assert "typst==" in requirements
    assert not re.search("pytest|jupytext|mypy|staff", requirements)


@pytest.mark.parametrize("name", source_names())
def test_no_solution_is_in_it(texts, name):
    answers = [gap.answer for cell in read_source(name).cells if cell.kind == "code" for gap in split_gaps(cell)]
    wanted = {piece for answer in answers for piece in pieces(answer)} - GIVEN_ELSEWHERE
    assert len(wanted) >= 5
    assert [(file, piece) for piece in wanted for file, text in texts.items() if piece in text] == []


@pytest.mark.parametrize("name", source_names())
def test_no_response_is_in_it(texts, name):
    cells = [cell for cell in read_source(name).cells if TEXT_BEGIN in cell.text]
    written = [cell.text.split(TEXT_BEGIN)[1].split(TEXT_END)[0] for cell in cells]
    prose = [
        squeeze(re.sub(r"\$\$.*?\$\$|\$.*?\$", "\0", text, flags=re.DOTALL)) for text in written
    ]  # the task states formulas
    parts = [part for text in prose for part in text.split("\0")]
    starts = [part[at : at + LONG] for part in parts for at in range(0, len(part) - LONG, LONG)]
    assert len(starts) >= (0 if name == "02_airfoil_vae" else 5)  # notebook 2 asks for no words
    assert [(file, start) for start in starts for file, text in texts.items() if start in text] == []


def test_no_slip_and_no_mark_is_in_it(texts):
    slips = [slip for name in source_names() for slip in load_slips(name)]
    assert len(slips) > 10
    code = {piece for slip in slips for piece in pieces(tuple(slip.source.split("\n")[1:]))}
    assert [piece for piece in code if is_anywhere(piece, texts) and not _is_given(piece, texts)] == []
    sentences = {squeeze(slip.sentence) for slip in slips if len(slip.sentence) >= LONG}
    utils = {name: text for name, text in texts.items() if name.startswith("utils/")}  # a notebook may warn of a slip
    assert [sentence for sentence in sentences if is_anywhere(sentence, utils)] == []
    assert not any(is_anywhere(mark, texts) for mark in ("BEGINSOLUTION", "ENDSOLUTION"))


def is_anywhere(piece: str, texts: dict[str, str]) -> bool:
    return any(piece in text for text in texts.values())


def _is_given(piece: str, texts: dict[str, str]) -> bool:
    """A slip's cell repeats what surrounds the gap, which the student is given."""
    return any(piece in text for name, text in texts.items() if name.endswith("/manifest.json"))


def test_the_grep_would_find_a_solution(texts):
    answer = next(
        gap.answer for cell in read_source("01_kl_divergence").cells for gap in split_gaps(cell) if cell.kind == "code"
    )
    assert any(piece in texts["README.md"] + squeeze("\n".join(answer)) for piece in pieces(answer))


def test_its_code_imports_only_what_its_requirements_bring(files):
    """An import of the project's own tools, or of a staff package, would fail on a student's machine only."""
    requirements = files["requirements.txt"].decode()
    pinned = {re.split("==", line)[0].replace("-", "_") for line in requirements.splitlines() if "==" in line}
    named_otherwise = {
        "pyyaml": "yaml",
        "scikit_learn": "sklearn",
        "fonttools": "fontTools",
        "pypandoc_binary": "pypandoc",
    }
    brought_along = {"IPython", "nbformat", "traitlets", "pygments", "PIL", "tinycss2", "bleach"}  # by those pinned
    known = {named_otherwise.get(name, name) for name in pinned} | brought_along | {"utils", "google"}
    imported = {module for name, code in files.items() if name.endswith(".py") for module in _imports(code)}
    assert imported - known - set(sys.stdlib_module_names) == set()
    assert {"torch", "yaml", "typst"} <= imported


def _imports(code: bytes) -> set[str]:
    nodes = list(ast.walk(ast.parse(code)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    of = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.split(".")[0] for name in plain | of}


def test_the_same_sources_give_the_same_bytes(tmp_path, files, monkeypatch):
    monkeypatch.setattr(student, "student_files", lambda: files)
    for name in ("a.zip", "b.zip"):
        write_bundle(tmp_path / "new" / name)
    assert (tmp_path / "new" / "a.zip").read_bytes() == (tmp_path / "new" / "b.zip").read_bytes()


def test_unpacked_it_checks_a_notebook_without_the_project(tmp_path, files, monkeypatch):
    monkeypatch.setattr(student, "student_files", lambda: files)
    write_bundle(tmp_path / "student.zip")
    with zipfile.ZipFile(tmp_path / "student.zip") as archive:
        archive.extractall(tmp_path)
    home = tmp_path / course_file().name
    command = [sys.executable, "-c", f"import sys; sys.path[:] = [{str(home)!r}] + [p for p in sys.path if 'packages' in p or 'lib' in p]\n"
               "import utils; print(utils.__file__)\n"
               "from utils.submission.__main__ import main; main(['check', 'notebooks/01_kl_divergence.ipynb'])"]  # fmt: skip
    run = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=120, encoding="utf-8")
    assert run.stderr == ""
    assert run.stdout.startswith(str(home))
    assert "1.3 kl.D_KL, 5 points: nothing is filled in yet in cell 15" in run.stdout


def test_the_readmes_targets_and_files_exist(files):
    readme, makefile = files["README.md"].decode(), files["Makefile"].decode()
    assert "{{" not in readme
    named = set(re.findall(r"`make ([a-z-]+)", readme))
    assert named == {"setup", "lab", "hand-in", "pdf"}
    assert all(re.search(rf"^{target}:.*  ## ", makefile, re.MULTILINE) for target in named)
    for name in source_names():
        assert f"| `{name}` | " in readme


def test_a_failure_is_one_sentence(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setattr(student, "student_files", dict)
    assert main(["--out", str(tmp_path / "file" / "student.zip")]) == 1
    assert capsys.readouterr().err.startswith("No bundle was written: ")
    assert main(["--out", str(tmp_path / "student.zip")]) == 0
    assert "Give it to your students" in capsys.readouterr().out
