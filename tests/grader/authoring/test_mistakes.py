"""An author's mistakes, made by rule in a new assignment: each ends in sentences with file and line, never in a traceback.

The rules are applied wherever they fit: every argument of every `Check` and `Probe` taken out or replaced, every key of the
TOML files taken out, misspelt or given another kind of value, every line of every file taken out.
"""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.authoring.mistakes import find_mistakes
from grader.rubric.references import load_references
from tools import examples, new_assignment, references
from tools.new_assignment.__main__ import create
from tools.notebooks.__main__ import main as build_notebooks
from utils.assignments.course import course_file
from utils.assignments.places import CourseError, place_of

FOLDER, NAME = "scores", "01_scores"
SENTENCE = re.compile(
    r"(course\.toml|assignments/scores/(about\.toml|\w+\.py|references/?[\w.]*))(, line (\d+))?: .+[.)]$"
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new assignment, built."""
    root = tmp_path_factory.mktemp("course")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE", str(root))
        assert create(FOLDER) == NAME
        assert build_notebooks([]) == 0
        assert references.main([]) == 0
    return root


@pytest.fixture
def course(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to be spoilt: modules are imported anew for each, since each has a folder of its own."""
    root = tmp_path / "course"
    shutil.copytree(sound, root)
    monkeypatch.setenv("COURSE", str(root))
    load_references.cache_clear()
    return root


def file_of(root: Path, name: str) -> Path:
    return root / name if name == "course.toml" else root / "assignments" / FOLDER / name


def changed(root: Path, name: str, old: str, new: str) -> None:
    path = file_of(root, name)
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{name} has no {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def said(capsys: pytest.CaptureFixture, is_run: bool = False) -> list[str]:
    """What the commands that build answer, up to the first that complains; none if all is well."""
    capsys.readouterr()
    try:
        course_file()
    except CourseError as error:
        return str(error).splitlines()
    if build_notebooks([]) != 0:
        return capsys.readouterr().err.splitlines()
    if not is_run:
        return find_mistakes(NAME)
    return capsys.readouterr().err.splitlines() if references.main([]) != 0 else []


def check_sentences(lines: list[str], root: Path, file: str = "") -> None:
    """Each is one sentence about a line that is there, and one is about the file that was spoilt."""
    assert lines
    for line in lines:
        match = SENTENCE.match(line)
        assert match, line
        assert "Traceback" not in line
        if match[4]:
            path = root / match[1]
            count = len(path.read_text(encoding="utf-8").split("\n")) if path.is_file() else 1
            assert 1 <= int(match[4]) <= count
    if file:
        assert any(file in line.partition(": ")[0] for line in lines), lines


def test_a_new_assignment_has_no_mistakes(course: Path, capsys: pytest.CaptureFixture) -> None:
    assert said(capsys) == []


# ---------------------------------------------------------------- checks.py: every argument


def _template(name: str) -> str:
    return (Path(new_assignment.__file__).parent / "template" / name).read_text(encoding="utf-8")


def _spoilt_checks() -> Iterator[tuple[str, str, str]]:
    """What was done, the spoilt text, and what the sentence must name."""
    text = _template("checks.py").replace("{{folder}}", FOLDER)
    fields = {"Check": ("name", "task", "title", "points", "probe", "judge"), "Probe": ("function", "draw")}
    for kind, names in fields.items():
        for n, field in enumerate(names):
            for what, value in (("without", None), ("None as", "None"), ("a list as", "[1]")):
                tree = ast.parse(text)
                (call,) = [
                    node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == kind
                ]
                if value is None:
                    call.keywords += [ast.keyword(names[m], arg) for m, arg in enumerate(call.args) if m > n]
                    call.args = call.args[:n]
                else:
                    call.args[n] = ast.parse(value, mode="eval").body
                yield f"{what} {kind}'s {field}", ast.unparse(ast.fix_missing_locations(tree)), field
    for what, old, new, word in (
        ("another keyword", "close(),", "close(), weight=2,", "weight"),
        ("points too many", "        4,", "        5,", "5 points"),
        ("no points", "        4,", "        0,", "points"),
        ("another probe", 'Probe("standardise"', 'Probe("standardize"', "'standardize'"),
        ("another task", 'scores.standardise",\n        "the', 'scores.standardize",\n        "the', "'scores.standardize'"),
        ("another input", '{"x": rng', '{"y": rng', "y"),
        ("no dict of inputs", 'return {"x":', 'return [1] or {"x":', "dict"),
        ("an input that is no array", 'return {"x": rng', 'return {"x": str, "y": rng', "array"),
        ("a draw that fails", "rng.normal(", "rng.no_such(", "no_such"),
        ("no table", "CHECKS = (", "CHECK = (", "CHECKS"),
        ("a table of something else", "CHECKS = (", "CHECKS = ('text',", "str"),
        ("a check twice", "CHECKS = (", "CHECKS = 2 * (", "twice"),
        ("an import that fails", "import numpy as np", "import numpyy as np", "numpyy"),
        ("code that does not parse", "CHECKS = (", "CHECKS == = (", "parse"),
        ("a name that is not defined", "close(),", "near(),", "near"),
    ):  # fmt: skip
        spoilt = text.replace(old, new)
        assert spoilt != text, what
        yield what, spoilt, word


CHECKS = {what: (text, word) for what, text, word in _spoilt_checks()}


@pytest.mark.parametrize("what", CHECKS)
def test_a_mistake_in_the_checks(course: Path, capsys: pytest.CaptureFixture, what: str) -> None:
    text, word = CHECKS[what]
    file_of(course, "checks.py").write_text(text, encoding="utf-8")
    lines = said(capsys)
    check_sentences(lines, course, "checks.py")
    assert any(word in line for line in lines), lines


def test_a_helper_of_the_author_s_does_not_hide_the_line(course: Path, capsys: pytest.CaptureFixture) -> None:
    helper = (
        "def _check(name):\n    return Check(name, probe=Probe('standardise', _table), judge=close())\n\n\nCHECKS = (\n"
    )
    changed(course, "checks.py", "CHECKS = (\n", helper + "    _check('scores.a'),\n")
    (line,) = said(capsys)
    text = file_of(course, "checks.py").read_text(encoding="utf-8").split("\n")
    assert "_check('scores.a')" in text[int(re.search(r"line (\d+)", line)[1]) - 1]
    assert "Check is not given 'task', 'title', and 'points'" in line


# ---------------------------------------------------------------- the other files


@pytest.mark.parametrize(
    ("file", "old", "new", "word"),
    [
        ("probes.py", "def standardise(", "def standardize(", "'standardise'"),
        ("probes.py", "names, x)", "names, table)", "table"),
        ("probes.py", "(names, x)", "()", "takes nothing"),
        ("probes.py", "def standardise", "def def standardise", "parse"),
        ("slips.py", "# %% scores.standardise variance", "# %% variance", "not read"),
        ("slips.py", "# %% scores.standardise variance", "# %% scores.standardize variance", "'scores.standardize'"),
        ("slips.py", "# You divide by the variance; one standard deviation is its square root.\n", "", "sentence"),
        ("slips.py", "# replace: (x - mean) -> x\n", "", "replace"),
        ("slips.py", "standardise not_centred", "standardise variance", "twice"),
        ("right.py", "    centred = x", "    centred == = x", "parse"),
        ("right.py", "# %% scores.standardise column", "# %% scores.standardize column", "'scores.standardize'"),
        ("notebook.py", "<details><summary>Hint</summary>", "", "no hint"),
        ("notebook.py", "auto 4", "auto 5", "add up to 4"),
        ("notebook.py", "# AUTOGRADED (4) standardise", "# AUTOGRADED standardise", "tag is not read"),
        ("notebook.py", "    ### END SOLUTION\n", "", "never closed"),
        ("notebook.py", "import numpy as np", "import numpy as", "parse"),
        ("notebook.py", 'hand_in("01_scores")', "print()", "hand_in"),
        ("course.toml", "results =", "result =", "result"),
        ("course.toml", 'results = "results"', "results = 3", "text"),
        ("course.toml", 'name = "', 'name = "a/b', "name"),
        ("course.toml", "secret =", "[late]\nper_week = 3\n#", "per_week"),
        ("course.toml", "secret =", "[late]\nper_day = 300\n#", "per_day"),
        ("course.toml", "secret =", "late = 3\n#", "table"),
        ("course.toml", "secret =", "secret = = 3\n#", "TOML"),
    ],
)  # fmt: skip
def test_a_mistake_elsewhere(
    course: Path, capsys: pytest.CaptureFixture, file: str, old: str, new: str, word: str
) -> None:
    changed(course, file, old, new)
    lines = said(capsys)
    check_sentences(lines, course, file if file != "probes.py" else "")
    assert any(word in line for line in lines), lines


@pytest.mark.parametrize("file", ["probes.py", "checks.py", "slips.py", "right.py", "about.toml"])
def test_a_missing_file(course: Path, capsys: pytest.CaptureFixture, file: str) -> None:
    file_of(course, file).unlink()
    check_sentences(said(capsys), course, file)


ABOUT = {
    "an unknown key": ('packages = []', 'packages = []\npackage = ["numpy"]', "package is not known"),
    "a number as text": ("number = 1", 'number = "one"', "a whole number"),
    "no number": ("number = 1", "", "number is missing"),
    "packages as text": ("packages = []", 'packages = "numpy"', "a list of texts"),
    "packages of numbers": ("packages = []", "packages = [1]", "a list of texts"),
    "no packages": ("packages = []", "", "packages is missing"),
    "data as text": ("packages = []", 'packages = []\ndata = "faces"', "give a table"),
    "data without files": ("packages = []", 'packages = []\n[data]\ntitle = "faces"\nmend = "ask"', "files is missing"),
    "an unknown key in a table": ("packages = []", 'packages = []\n[data]\nfile = ["a"]', "file is not known"),
    "data that is not there": (
        "packages = []", 'packages = []\n[data]\ntitle = "a"\nfiles = ["a.npz"]\nmend = "b"\nbundled = true', "a.npz is not in data"
    ),
    "a hand-in for no question": (
        "packages = []", 'packages = []\n[hand_in]\nfiles = ["a"]\nquestion = "x"\ncheck = "hand_in"', "no question 'x'"
    ),
    "a quality stage without its module": (
        "packages = []", 'packages = []\n[quality]\nmodule = "quality"\ncpu_seconds = 9.0', "quality.py, line 1"
    ),
    "a budget of nothing": (
        "packages = []", 'packages = []\n[quality]\nmodule = "checks"\ncpu_seconds = 0.0', "more than 0 CPU seconds"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ABOUT)
def test_a_mistake_in_what_is_declared(course: Path, capsys: pytest.CaptureFixture, what: str) -> None:
    old, new, word = ABOUT[what]
    text = file_of(course, "about.toml").read_text(encoding="utf-8")
    text = re.sub(r"\s+#.*", "", text)  # the comment behind a value goes
    file_of(course, "about.toml").write_text(text.replace(old, new), encoding="utf-8")
    lines = said(capsys)
    check_sentences(lines, course, "about.toml")
    assert any(word in line for line in lines), lines


@pytest.mark.parametrize(
    ("file", "old", "new", "word"),
    [
        ("slips.py", "# replace: (x - mean) -> x", "# replace: (x - average) -> x", "has no `(x - average)`"),
        ("notebook.py", "    return (x - mean) / deviation", "    return x / nobody", "NameError"),
        ("notebook.py", "import numpy as np", "import numpy as np\nimport no_such_package", "no_such_package"),
        ("probes.py", "def standardise", "import no_such_package\n\n\ndef standardise", "no_such_package"),
        ("probes.py", "def standardise", "from .checks import CHECKS\n\n\ndef standardise", "keep in probes.py"),
    ],
)
def test_a_mistake_that_shows_when_it_runs(
    course: Path, capsys: pytest.CaptureFixture, file: str, old: str, new: str, word: str
) -> None:
    changed(course, file, old, new)
    lines = said(capsys, is_run=True)
    check_sentences(lines, course, file)
    assert any(word in line for line in lines), lines


@pytest.mark.parametrize("file", ["about.json", "values.npz"])
@pytest.mark.parametrize("is_damaged", [False, True])
def test_references_that_are_missing(course: Path, capsys: pytest.CaptureFixture, file: str, is_damaged: bool) -> None:
    from grader import cli

    path = course / "assignments" / FOLDER / "references" / file
    data = path.read_bytes()
    path.unlink()
    if is_damaged:
        path.write_bytes(data[: len(data) // 2])
    (course / "nothing.zip").touch()  # of no notebook that anybody knows: any may be asked for
    assert cli.main(["grade", str(course / "nothing.zip"), "--out", str(course / "out")]) == cli.REJECTED
    lines = capsys.readouterr().err.splitlines()
    check_sentences(lines, course)
    assert f"python -m tools.references {NAME}" in lines[0]


# ---------------------------------------------------------------- any line at all


FILES = ("about.toml", "notebook.py", "probes.py", "checks.py", "slips.py", "right.py", "course.toml")


def _lines() -> list:
    from tools.new_assignment.__main__ import COURSE

    counts = {file: len((COURSE if file == "course.toml" else _template(file)).split("\n")) - 1 for file in FILES}
    numbered = [(file, number) for file, count in counts.items() for number in range(count)]
    return numbered


def test_a_line_taken_out_never_ends_in_a_traceback(
    course: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints = 0
    for n, (file, number) in enumerate(_lines()):
        root = course.parent / f"copy{n}"
        shutil.copytree(course, root)
        monkeypatch.setenv("COURSE", str(root))
        lines = file_of(root, file).read_text(encoding="utf-8").split("\n")
        file_of(root, file).write_text("\n".join(lines[:number] + lines[number + 1 :]), encoding="utf-8")
        if answers := said(capsys):
            check_sentences(answers, root)
            complaints += 1
    assert complaints > 50


def test_the_class_by_rule_is_ten(course: Path) -> None:
    class_ = examples.load_examples()
    assert len(class_) == 10
    assert len({one.student for one in class_}) == 10
    assert place_of(NAME).path.is_relative_to(course)
