"""The generator: committed files match, each broken convention gets its sentence, no solution reaches a student."""

import ast
import json
import re

import nbformat
import pytest

from tools import notebooks
from tools.bugs import FIRST_LINE, mend_bugs, plant_bugs
from tools.conventions import ConventionError, find_violations
from tools.notebook_source import parse_source, source_names
from tools.notebooks.__main__ import main
from tools.open_gaps import keep_solutions, open_gaps, split_gaps
from utils.assignments import UNANSWERED, parse_assignment
from utils.notebook.cells import read_notebook
from utils.notebook.extraction import find_tasks

# A notebook as small as the conventions allow; each test of a violation changes one thing in it.
SOURCE = '''\
# %% [markdown]
# # Doubling
#
# {{points_table}}

# %%
# SETUP
print("here")

# %%
# IMPORTS
# NOT ALLOWED: torch.distributions
import torch
from torch import nn

# %%
# GIVEN
HALF = 0.5

# %% [markdown]
# ### 1.1 Twice a number
# **`x.double`** · auto 5 · manual 2
#
# <details><summary>Hint</summary>Multiply.</details>

# %%
# AUTOGRADED (5) double
def double(value: float) -> float:
    """Twice the value."""
    # TODO: return twice the value.
    ### BEGIN SOLUTION
    secret = 2 * value
    return secret
    ### END SOLUTION

# %%
# TEST
expect_close("double", double(2.0), 4.0)

# %% [markdown]
# **RESPONSE:**
# <!-- BEGIN SOLUTION -->
# Because two halves make a whole.
# <!-- END SOLUTION -->

# %%
hand_in("99_double")
'''

VIOLATIONS = {
    "title": ("# # Doubling", "# Doubling", "cell 1: the notebook's title is missing"),
    "setup": ("# SETUP\n", "", "code cell 1: exactly one `# SETUP` cell must stand here, found 0"),
    "imports first": ("# IMPORTS\n", "", "code cell 2: exactly one `# IMPORTS` cell must stand here, found 0"),
    "table": ("# {{points_table}}\n", "#\n", "the line {{points_table}} stands 0 times"),
    "hand-in": ('hand_in("99_double")', "print()", 'call `hand_in("99_double")` there'),
    "syntax": ('print("here")', 'print("here"', "cell 2 ('# SETUP'): the code does not parse (line 2"),
    "action among imports": ("import torch\n", "import torch\nHALF = 2\n", "line 4 is no import"),
    "star import": ("from torch import nn", "from torch import *", "line 4 imports everything"),
    "ruling out": ("NOT ALLOWED: torch.distributions", "NOT ALLOWED: torch distributions", "is not read; write `# NOT"),
    "action in given": ("HALF = 0.5", "print(0.5)", "cell 4 ('# GIVEN'): line 2 acts; a given cell defines only"),
    "unknown kind": ("· auto 5 · manual 2", "· automatic 5 · manual 2", "is not read as a question"),
    "no heading": ("# ### 1.1 Twice a number\n", "#\n", "no heading directly above the question's line"),
    "points of a tag": ("AUTOGRADED (5)", "AUTOGRADED (4)", "question x.double: auto 5 but its tags add up to 4"),
    "points of given": ("· auto 5 · manual 2", "· auto 5 · manual 2 · given 3", "given 3 points; given has none"),
    "responses": ("· auto 5 · manual 2", "· auto 5", "0 manual parts but 1 **RESPONSE:** cells"),
    "hint": ("<summary>Hint</summary>", "<summary>Help</summary>", "question x.double: it has no hint"),
    "tag": ("AUTOGRADED (5) double", "AUTOGRADED 5 double", "the tag is not read; write `# AUTOGRADED (5) word`"),
    "check": ("# TEST\n", "", "the next code cell must be its check"),
    "check without expect": ("expect_close(", "assert_close(", "the next code cell must be its check"),
    "action in answer": ("# AUTOGRADED (5) double\n", "# AUTOGRADED (5) double\nx = 1\n", "line 2 acts; an autograded"),
    "import in answer": ("    secret = 2", "    import math\n    secret = 2", "it imports; move the import"),
    "gap not opened": ("    ### BEGIN SOLUTION\n", "", "`### END SOLUTION` on line 7 does not pair"),
    "gap not closed": ("    ### END SOLUTION\n", "", "the mark on line 5 is never closed"),
    "no todo": ("    # TODO: return twice the value.\n", "", "0 `# TODO:` lines above a gap, expected 1 to 3"),
    "todo block": ("    # TODO: r", "    # TODO: a\n" * 3 + "    # TODO: r", "4 `# TODO:` lines above a gap"),
    "long gap": ("    secret = 2 * value\n", "    value += 1\n" * 15 + "    secret = 2 * value\n", "a gap of 17 lines"),
    "response without solution": ("# <!-- BEGIN SOLUTION -->\n", "", "`<!-- END SOLUTION -->` on line 3 does not pair"),
    "answer above questions": (
        "# ### 1.1 Twice a number\n# **`x.double`** · auto 5 · manual 2",
        "# text",
        "stands above",
    ),
}


def violations(text: str) -> list[str]:
    return find_violations(parse_source("99_double", text))


def test_the_smallest_source_keeps_every_convention():
    assert violations(SOURCE) == []


@pytest.mark.parametrize("case", VIOLATIONS, ids=str)
def test_a_broken_convention_gets_its_sentence(case):
    old, new, sentence = VIOLATIONS[case]
    assert SOURCE.count(old) >= 1
    found = violations(SOURCE.replace(old, new))
    assert any(sentence in text for text in found), found
    assert all(re.match(r"assignments/double/notebook\.py, line \d+: ", text) for text in found)


def test_an_answer_without_a_gap_is_refused():
    without = SOURCE.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION\n", "")
    assert any("cell 6 ('# AUTOGRADED (5) double'): it has no gap" in text for text in violations(without))


def test_two_questions_with_one_id_are_refused():
    question = SOURCE[SOURCE.index("# %% [markdown]\n# ### 1.1") : SOURCE.index('# %%\nhand_in("')]
    twice = SOURCE.replace('# %%\nhand_in("', question + '\n# %%\nhand_in("')
    found = violations(twice)
    assert any("the id 'x.double' stands 2 times" in text for text in found)
    assert any("the number '1.1' stands 2 times" in text for text in found)
    assert any("the word 'double' stands in 2 tags" in text for text in found)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The generator, at work on the smallest source in a folder of its own."""
    monkeypatch.setenv("COURSE", str(tmp_path))
    folder = tmp_path / "assignments" / "double"
    folder.mkdir(parents=True)
    (tmp_path / "course.toml").write_text('name = "tiny"\n', encoding="utf-8")
    (folder / "about.toml").write_text("number = 99\npackages = []\n", encoding="utf-8")
    (folder / "notebook.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def test_the_student_version_has_gaps_for_solutions(tiny):
    notebook = notebooks.student_notebook("99_double")
    text = "\n".join(cell.source for cell in notebook.cells)
    assert 'raise NotImplementedError("1.1 double: this gap is still open")' in text
    assert UNANSWERED in text
    for solution in ("secret", "two halves", "SOLUTION", "points_table"):
        assert solution not in text
    assert "| 1.1 | Twice a number | `x.double` | auto 5, manual 2 | 7 |" in text
    assert "| | **total** | | auto 5, manual 2 | **7** |" in text


def test_the_solved_version_has_the_answers_and_no_marks(tiny):
    text = "\n".join(cell.source for cell in notebooks.solved_notebook("99_double").cells)
    assert "secret = 2 * value" in text
    assert "two halves" in text
    assert "BEGIN SOLUTION" not in text
    assert "NotImplementedError" not in text


def test_both_versions_have_the_same_cells(tiny):
    student, solved = notebooks.student_notebook("99_double"), notebooks.solved_notebook("99_double")
    assert [cell.id for cell in student.cells] == [cell.id for cell in solved.cells]
    assert len({cell.id for cell in student.cells}) == len(student.cells)


def test_the_manifest_is_what_the_extractor_needs(tiny):
    assignment = parse_assignment(json.loads(json.dumps(notebooks.manifest("99_double"))))
    (task,) = assignment.tasks
    assert (task.id, task.word, task.points, task.defines, task.gaps) == ("x.double", "double", 5, ("double",), 1)
    assert (assignment.imports, assignment.not_allowed) == (("torch",), ("torch.distributions",))
    assert [source.split("\n")[0] for source in assignment.prelude] == ["# IMPORTS", "# GIVEN"]
    student = read_notebook(nbformat.writes(notebooks.student_notebook("99_double")).encode())
    solved = read_notebook(nbformat.writes(notebooks.solved_notebook("99_double")).encode())
    assert [found.is_untouched for found in find_tasks(student, assignment).found] == [True]
    assert [found.is_untouched for found in find_tasks(solved, assignment).found] == [False]


def test_check_writes_nothing_and_names_what_is_stale(tiny, capsys):
    assert main(["99_double", "--check"]) == 1
    assert "notebooks/99_double.ipynb is out of step" in capsys.readouterr().err
    assert not (tiny / "notebooks").exists()
    assert main(["99_double"]) == 0
    assert main(["99_double", "--check"]) == 0
    (tiny / "assignments" / "double" / "notebook.py").write_text(
        SOURCE.replace("Because two", "Since two"), encoding="utf-8"
    )
    assert main(["99_double", "--check"]) == 0  # a solution's wording is not in the student's version
    (tiny / "assignments" / "double" / "notebook.py").write_text(
        SOURCE.replace("Twice the value.", "Two times the value."), encoding="utf-8"
    )
    assert main(["99_double", "--check"]) == 1


def test_an_edit_leaves_the_ids_of_other_cells(tiny):
    before = [cell.id for cell in notebooks.student_notebook("99_double").cells]
    (tiny / "assignments" / "double" / "notebook.py").write_text(
        SOURCE.replace('print("here")', 'print("there")'), encoding="utf-8"
    )
    after = [cell.id for cell in notebooks.student_notebook("99_double").cells]
    assert [old == new for old, new in zip(before, after, strict=True)].count(False) == 1


def test_a_broken_source_is_reported_not_built(tiny, capsys):
    (tiny / "assignments" / "double" / "notebook.py").write_text(SOURCE.replace("# TEST\n", ""), encoding="utf-8")
    assert main(["99_double"]) == 1
    assert "the next code cell must be its check" in capsys.readouterr().err
    assert not (tiny / "notebooks").exists()


def test_an_unknown_notebook_is_one_sentence(tiny, capsys):
    assert main(["12_nothing"]) == 1
    assert capsys.readouterr().err == "No notebook source is called '12_nothing'; there are: 99_double.\n"


# ---------------------------------------------------------------- the real notebooks


@pytest.mark.parametrize("name", source_names())
def test_generated_files_match_their_source(name):
    for path, content in notebooks.expected_files(name).items():
        assert path.is_file(), f"{path.name} is missing; run `make notebooks`"
        assert path.read_bytes() == content, f"{path.name} is out of step; run `make notebooks`"


@pytest.mark.parametrize("name", source_names())
def test_no_solution_reaches_the_student(name):
    source = notebooks.read_source(name)
    student = notebooks.student_notebook(name)
    assert all(cell.get("outputs", []) == [] for cell in student.cells)
    for cell, given in zip(source.cells, student.cells, strict=True):
        answers = [line.strip() for gap in split_gaps(cell) for line in gap.answer if len(line.strip()) > 25]
        assert not [line for line in answers if line in given.source], f"{name}, cell {cell.number}"
        if cell.kind == "code":
            ast.parse(given.source)


@pytest.mark.parametrize("name", source_names())
def test_solved_and_student_versions_differ_in_the_gaps_alone(name):
    source = notebooks.read_source(name)
    for cell in source.cells:
        if cell.first_line == FIRST_LINE:  # a bug to find
            assert keep_solutions(cell) == mend_bugs(cell.text) != open_gaps(cell, "any") == plant_bugs(cell.text)
        elif not split_gaps(cell):
            assert keep_solutions(cell) == open_gaps(cell, "any") == cell.text


def test_the_error_of_a_broken_source_carries_all_its_sentences():
    error = ConventionError(["first", "second"])
    assert str(error) == "first\nsecond"
    assert error.sentences == ["first", "second"]
