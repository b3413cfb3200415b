"""Reading notebooks as editors and students leave them: what can be understood is, and each guess is said."""

import ast
import copy
import json
import re
import time

import pytest

from tests.support import answers
from utils.assignments import load_assignment
from utils.notebook import cell_code
from utils.notebook.cell_code import normalised_code, parse
from utils.notebook.cells import MAX_CELLS, NotebookError, read_notebook
from utils.notebook.extraction import Extraction, find_tasks, tag_line

NOTEBOOK = "01_kl_divergence"
ASSIGNMENT = load_assignment(NOTEBOOK)
TASKS = {task.id: task for task in ASSIGNMENT.tasks}
ANSWER = "def D_KL(mu, logvar):\n    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()"
TAG = "# AUTOGRADED (5) D_KL"


@pytest.fixture
def content() -> dict:
    """The solved notebook as JSON, for a test to change."""
    return copy.deepcopy(json.loads(answers(NOTEBOOK)))


def cell_of(content: dict, task: str = "kl.D_KL") -> dict:
    tag = f"# AUTOGRADED ({TASKS[task].points}) {TASKS[task].word}"
    return next(cell for cell in content["cells"] if "".join(cell["source"]).startswith(tag))


def extract(content: dict) -> Extraction:
    return find_tasks(read_notebook(json.dumps(content).encode()), ASSIGNMENT)


def source_of(found: Extraction, task: str = "kl.D_KL") -> str:
    return next(source.source for source in found.found if source.task == task)


def only_repair(found: Extraction) -> str:
    assert len(found.repairs) == 1
    assert found.repairs[0].endswith(".")
    return found.repairs[0]


def test_a_notebook_as_it_was_given_needs_no_repair(content):
    found = extract(content)
    assert [source.task for source in found.found] == list(TASKS)
    assert not found.repairs
    assert not found.missing


# ---------------------------------------------------------------- the file


@pytest.mark.parametrize("minor", range(6))
def test_every_minor_format_is_read(content, minor):
    content["nbformat_minor"] = minor
    if minor < 5:
        for cell in content["cells"]:
            del cell["id"]
    assert not extract(content).missing


def test_ids_and_metadata_do_not_count(content):
    for cell in content["cells"]:
        cell["id"], cell["metadata"] = "same", {"id": "colab", "outputId": "x", "tags": None}
    content["metadata"] = {"kernelspec": {"name": "xeus"}, "widgets": {"x": {}}, "accelerator": "GPU"}
    assert not extract(content).missing
    content.pop("metadata")
    for cell in content["cells"]:
        cell.pop("metadata")
    assert not extract(content).repairs


def test_a_source_is_text_or_a_list_of_lines(content):
    as_lists = extract(content)
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"])
    assert extract(content) == as_lists


@pytest.mark.parametrize(("ending", "same"), [("\r\n", "\n"), ("\r", "\n")])
def test_line_ends_of_other_systems(content, ending, same):
    expected = extract(content)
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n", ending)
    assert extract(content) == expected


def test_marks_and_encodings_of_editors(content):
    text = json.dumps(content, ensure_ascii=False)
    plain = find_tasks(read_notebook(text.encode()), ASSIGNMENT)
    assert find_tasks(read_notebook(b"\xef\xbb\xbf" + text.encode()), ASSIGNMENT) == plain
    wide = find_tasks(read_notebook(text.encode("utf-16")), ASSIGNMENT)
    assert wide.found == plain.found
    assert "UTF-16" in only_repair(wide)
    broken = read_notebook(text.replace("D_KL(mu", "D_KL(mu", 1).encode().replace("é".encode(), b"\xe9") + b"")
    assert not find_tasks(broken, ASSIGNMENT).missing
    latin = read_notebook(
        json.dumps({"cells": [{"cell_type": "markdown", "source": "X"}]}).encode().replace(b"X", b"\xe9")
    )
    assert "not clean UTF-8" in latin.repairs[0]
    cell_of(content)["source"] = "\ufeff" + TAG + "\n" + ANSWER
    assert source_of(extract(content)).startswith(TAG)


def test_half_a_character_cannot_stop_a_report(content):
    cell_of(content)["source"] = TAG + " \ud800\n" + ANSWER
    found = extract(content)
    json.dumps([source.source for source in found.found] + list(found.repairs), ensure_ascii=False).encode()


def test_damaged_cells_are_skipped_and_said(content):
    content["cells"][0:0] = [None, 5, {"cell_type": "code", "source": 7}, {"cell_type": ["code"]}, {}]
    content["cells"][3]["outputs"] = {"not": "a list"}
    found = extract(content)
    assert not found.missing
    assert found.repairs == (
        "Cell 1 is damaged (not a cell) and was skipped.",
        "Cell 2 is damaged (not a cell) and was skipped.",
        "Cell 3 is damaged (its source is no text) and was read as empty.",
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"  \n", "is empty"),
        (b"{", r"not valid JSON \(line 1\)"),
        (b"[" * 10**5, "not valid JSON"),
        (b"{}", "no list of cells"),
        (b'{"worksheets": [], "nbformat": 3}', "old format 3"),
        (json.dumps({"cells": [{}] * (MAX_CELLS + 1)}).encode(), "2001 cells, at most 2000"),
        (bytes(33 * 2**20), "33 MB, at most 32 MB"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(data, words):
    with pytest.raises(NotebookError, match=words) as caught:
        read_notebook(data)
    assert str(caught.value).endswith(".")


# ---------------------------------------------------------------- the tag


@pytest.mark.parametrize(
    "tag",
    [
        "#AUTOGRADED", "# autograded(5)", "# Autograded (5) D_KL", "#   AUTO-GRADED [5 points]: D_KL", "## auto graded 5",
        "  # AUTOGRADED (5) kl.D_KL", "# AUTOGRADED (7) D_KL", "# AUTOGRADED (5) d_kl", "# AUTOGRADED (2.5 pts) D_KL please keep",
    ],
)  # fmt: skip
def test_a_retyped_tag_is_understood(content, tag):
    cell_of(content)["source"] = f"{tag}\n{ANSWER}"
    found = extract(content)
    assert source_of(found) == f"{tag}\n{ANSWER}"
    if not re.fullmatch(r"# AUTOGRADED \(\d\) \w+", tag):
        assert "was understood" in only_repair(found)


@pytest.mark.parametrize(
    "before", ["\n\n", "%%time\n", "%matplotlib inline\n\n", "!pip install torch\n", "  \n%load_ext x\n"]
)
def test_magics_and_blank_lines_may_stand_before_the_tag(content, before):
    cell_of(content)["source"] = before + TAG + "\n" + ANSWER
    found = extract(content)
    assert source_of(found).rstrip().endswith(".mean()")
    assert source_of(found).count("\n") == (before + TAG + "\n" + ANSWER).count("\n"), "line numbers are the student's"
    assert not found.repairs


def test_magics_and_shell_lines_within_an_answer_are_left_out(content):
    cell_of(content)["source"] = f"{TAG}\n%timeit 1\n{ANSWER}\n!ls\nD_KL?\n"
    compile(source_of(extract(content)), "cell", "exec")


def test_without_a_tag_the_name_is_looked_for(content):
    cell_of(content)["source"] = ANSWER
    found = extract(content)
    assert source_of(found) == ANSWER
    assert "its tag is missing" in only_repair(found)


@pytest.mark.parametrize(
    "answer", ["D_KL = lambda mu, logvar: mu", "D_KL: object = print", "class D_KL: pass", "async def D_KL(): pass"]
)
def test_a_name_can_be_defined_in_other_ways(content, answer):
    cell_of(content)["source"] = answer
    assert source_of(extract(content)) == answer


def test_what_is_missing_is_named(content):
    content["cells"].remove(cell_of(content))
    found = extract(content)
    assert found.missing == {
        "kl.D_KL": "kl.D_KL: no cell begins with `# AUTOGRADED (5) D_KL` and none defines `D_KL`; put your answer into such a cell."
    }
    assert len(found.found) == 6


def test_of_copies_the_last_that_can_be_read_counts(content):
    cells = content["cells"]
    at = cells.index(cell_of(content))
    for n, answer in enumerate((ANSWER, ANSWER + "  # later", "def D_KL(mu, logvar:\n    broken")):
        cells.insert(at + 1 + n, {**copy.deepcopy(cells[at]), "source": f"{TAG}\n{answer}"})
    found = extract(content)
    assert source_of(found).endswith("# later")
    assert f"cells {at + 1}, {at + 2}, {at + 3}, {at + 4} carry its tag" in only_repair(found)
    assert f"cell {at + 3}, is graded" in only_repair(found)


@pytest.mark.parametrize(
    "text", [f"{TAG}\n{ANSWER}", f"```python\n{TAG}\n{ANSWER}\n```", f"  ```\n{ANSWER}\n  ```  ", ANSWER]
)
@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answer_in_a_text_cell_is_graded_as_code(content, kind, text):
    cell = cell_of(content)
    cell["cell_type"], cell["source"] = kind, text
    found = extract(content)
    assert ANSWER in source_of(found)
    compile(source_of(found), "cell", "exec")
    assert f"is a {kind} cell" in only_repair(found)


def test_two_answers_in_one_cell(content):
    second = cell_of(content, "kl.gaussians")
    content["cells"].remove(second)
    body = "".join(second["source"]).split("\n", 1)[1]
    cell_of(content)["source"] = f"{TAG}\n{ANSWER}\n\n\n{body}"
    found = extract(content)
    assert not found.missing
    numbers = {source.task: source.cell for source in found.found}
    assert numbers["kl.D_KL"] == numbers["kl.gaussians"]
    assert "kl.gaussians: its tag is missing" in only_repair(found)


def test_an_answer_split_over_two_cells_counts_where_the_name_is(content):
    at = content["cells"].index(cell_of(content))
    content["cells"].insert(at, {"cell_type": "code", "source": "def helper(x):\n    return x"})
    assert not extract(content).missing


# ---------------------------------------------------------------- what stands in the cell


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def D_KL(mu, logvar):\nreturn 1", 3),
        ("def D_KL(mu, logvar)\n    return 1", 2),
        ("x = '''", 2),
        ("  x\n y", 2),
    ],
)
def test_a_syntax_error_says_where(content, source, line):
    cell_of(content)["source"] = f"{TAG}\n{source}"
    found = next(source for source in extract(content).found if source.task == "kl.D_KL")
    assert found.syntax_error.startswith(f"line {line}: ")


def test_a_broken_cell_without_a_tag_is_found_by_its_def(content):
    cell_of(content)["source"] = "  def D_KL(mu, logvar:\n    return 1"
    found = next(source for source in extract(content).found if source.task == "kl.D_KL")
    assert found.syntax_error


@pytest.mark.parametrize(
    "source",
    [
        "x = \0", "(" * 10_000, "-" * 100_000 + "1", "x = " + "+".join(["1"] * 5_000), "x" + ".y" * 20_000,
        "x = " + "9" * 5_000, "x = 0x" + "f" * 5_000, "x = 1\n" * 100_000, "x = '\ud800'", "\x0c" * 1000, "# \u202e",
        "if 1:\n" + "".join(" " * n + "if 1:\n" for n in range(1, 150)),
    ],
)  # fmt: skip
def test_no_code_is_too_strange_to_look_at(content, source):
    cell_of(content)["source"] = f"{TAG}\n{source}"
    found = next(source for source in extract(content).found if source.task == "kl.D_KL")
    assert found.syntax_error or not found.is_untouched


def test_a_warning_about_an_answer_is_not_the_graders():
    assert parse('def D_KL():\n    return "\\d" is 1')[0]  # warnings are errors in these tests


def test_a_cell_full_of_blank_lines_is_read_in_no_time(content):
    content["cells"] += [{"cell_type": kind, "source": "\n \n" * 200_000} for kind in ("markdown", "code", "raw")]
    cell_of(content)["source"] = "  def D_KL(mu, logvar:" + "\n" * 200_000
    began = time.process_time()
    extract(content)
    assert time.process_time() - began < 5


def test_a_gap_left_open_is_recognised(content):
    given = TASKS["kl.D_KL"].untouched_source
    for source in (
        given,
        given.replace("TODO", "todo"),
        given.replace("\n", "\n\n"),
        given.replace('"""KL', '"""The KL'),
    ):
        cell_of(content)["source"] = source
        assert next(found for found in extract(content).found if found.task == "kl.D_KL").is_untouched
    cell_of(content)["source"] = given.replace("raise", "x = 1\n    raise")
    assert not next(found for found in extract(content).found if found.task == "kl.D_KL").is_untouched


def test_comments_docstrings_and_spacing_do_not_count():
    assert normalised_code('def f(x):\n    """Doc."""\n    return  x # why') == normalised_code("def f(x): return x")
    assert normalised_code("def f(x): return x") != normalised_code("def f(x): return -x")
    assert normalised_code("def f(") == ""


SPELLED = """
@wrapped(1.50, "a\\u00e9")
def f(x, *more, key=None, **rest) -> "tuple[int]":
    'Doc.'
    y: int = {**rest, 'k': x[1, ::2, ...]}['k'] if (n := len(more)) > 0x10 else -x ** -2
    print(f"{x['a']!r:>{n}}, " "and" f' {y=} {{}} {x:.3f}', b'\\x00', not (x and y), lambda: (yield))
    with open(x) as a, open(y) as b:
        return x, *more
"""


def _as_another_python_parses(tree):
    """Fields that came later, and text in f-strings in other pieces."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node._fields = (*node._fields, "type_params")
            node.type_params = []
        if isinstance(node, ast.JoinedStr):
            pieces = []
            for piece in node.values:
                text = piece.value if isinstance(piece, ast.Constant) else ""
                pieces += [ast.Constant(text[:1]), ast.Constant(text[1:])] if text else [piece, ast.Constant("")]
            node.values = pieces
    return tree


def test_what_a_cell_does_is_the_same_on_every_python(monkeypatch):
    """Weights say which code trained them: written under the student's Python, read under the grader's."""
    said = "de31028b9f11c671256fb992116fc1cd"
    assert normalised_code(SPELLED) == said
    monkeypatch.setattr(cell_code, "parse", lambda source: (source, _as_another_python_parses(ast.parse(source))))
    normalised_code.cache_clear()
    assert normalised_code(SPELLED) == said


def _mutants(source):
    """The source with one thing changed in what it does: each number, text, name and operator in turn."""
    docstring = ast.get_docstring(ast.parse(source).body[0], clean=False)
    for at in range(sum(1 for _ in ast.walk(ast.parse(source)))):
        tree = ast.parse(source)
        node = list(ast.walk(tree))[at]
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            node.value = node.value + 1
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != docstring:
            node.value += "x"
        elif isinstance(node, ast.Name | ast.Attribute | ast.keyword | ast.arg):
            field = {ast.Name: "id", ast.Attribute: "attr"}.get(type(node), "arg")
            setattr(node, field, f"{getattr(node, field)}_")
        elif isinstance(node, ast.BinOp):
            node.left, node.right = node.right, node.left
        else:
            continue
        yield ast.unparse(tree)


def test_code_that_is_spelt_otherwise_is_the_same_and_every_change_shows():
    seen = normalised_code(SPELLED)
    assert normalised_code(ast.unparse(ast.parse(SPELLED))) == seen
    assert normalised_code(SPELLED.replace("'Doc.'", "'Other.'").replace("\n    ", "  # why\n\n      ")) == seen
    usual = ast.dump(ast.parse(SPELLED))
    changed = {dump: mutant for mutant in _mutants(SPELLED) if (dump := ast.dump(ast.parse(mutant))) != usual}
    assert len(changed) > 30
    assert len({normalised_code(mutant) for mutant in changed.values()} - {seen}) == len(changed)


def test_tag_line():
    assert tag_line("\n%%time\n# AUTOGRADED (5) x\ncode") == "# AUTOGRADED (5) x"
    assert tag_line("code\n# AUTOGRADED (5) x") is None
    assert tag_line("# AUTOGRADEDX (5)") is None
    assert tag_line("") is None


def test_a_copy_of_the_open_gap_below_the_answer_is_passed_over():
    task = ASSIGNMENT.tasks[0]
    content = json.loads(answers(NOTEBOOK))
    copied = {
        "cell_type": "code",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "source": task.untouched_source,
    }
    content["cells"].append(copied)
    found = {
        source.task: source for source in find_tasks(read_notebook(json.dumps(content).encode()), ASSIGNMENT).found
    }
    assert not found[task.id].is_untouched
    assert found[task.id].cell < len(content["cells"])
