"""The manifests: what they hold adds up, they load without torch, and a wrong one is refused in a sentence."""

import ast
import subprocess
import sys

import pytest

from utils.assignments import assignment_names, load_assignment, parse_assignment
from utils.assignments.gaps import count_gaps

MANIFEST = {
    "schema": 2,
    "about": {"number": 99, "packages": []},
    "notebook": "99_double",
    "title": "Doubling",
    "prelude": ["import torch"],
    "imports": ["torch"],
    "not_allowed": [],
    "questions": [
        {
            "id": "x.double",
            "number": "1.1",
            "title": "Twice",
            "parts": [{"kind": "auto", "points": 5}, {"kind": "manual", "points": 2}, {"kind": "quality", "points": 3}],
            "tasks": [
                {
                    "id": "x.double",
                    "word": "double",
                    "points": 5,
                    "defines": ["double"],
                    "untouched_source": "",
                    "gaps": 1,
                }
            ],
        },
        {"id": "x.see", "number": "1.2", "title": "See", "parts": [{"kind": "given", "points": 0}], "tasks": []},
    ],
}


def test_points_add_up_by_kind():
    assignment = parse_assignment(MANIFEST)
    assert (assignment.total_points, assignment.auto_points) == (10, 5)
    assert (assignment.manual_points, assignment.quality_points) == (2, 3)
    assert [question.points for question in assignment.questions] == [10, 0]
    assert [question.responses for question in assignment.questions] == [1, 0]


def test_a_task_knows_its_question():
    assignment = parse_assignment(MANIFEST)
    assert assignment.question_of("x.double").title == "Twice"
    with pytest.raises(KeyError, match=r"99_double has no task 'x\.triple'; it has: x\.double"):
        assignment.question_of("x.triple")


def test_another_schema_is_refused():
    with pytest.raises(ValueError, match=r"schema 3, expected 2; rebuild it with `make notebooks`"):
        parse_assignment({**MANIFEST, "schema": 3})


def test_an_unknown_notebook_is_refused_by_name():
    with pytest.raises(ValueError, match=r"No notebook is called '12_nothing'; there are: 01_kl_divergence"):
        load_assignment("12_nothing")


@pytest.mark.parametrize("name", assignment_names())
def test_every_manifest_loads_and_adds_up(name):
    assignment = load_assignment(name)
    assert assignment.notebook == name
    for question in assignment.questions:
        assert sum(task.points for task in question.tasks) == question.points_of("auto")
    for task in assignment.tasks:
        assert task.defines, f"{task.id} defines nothing the grader could look for"
        assert task.gaps == count_gaps(ast.parse(task.untouched_source)) > 0
    assert load_assignment(name) is assignment


def test_reading_a_manifest_needs_no_torch():
    code = (
        "import sys; from utils.assignments import load_assignment; load_assignment('01_kl_divergence');"
        "print(sorted({'torch', 'numpy', 'yaml'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("def f():\n    raise NotImplementedError('f: this gap is still open')", 1),
        ("def f():\n    raise NotImplementedError", 1),
        ("def f():\n    raise ValueError('no')", 0),
        ("def f():\n    try:\n        g()\n    except E:\n        raise", 0),
        (
            "class A:\n  def f(self):\n    raise NotImplementedError()\n  def g(self):\n    raise NotImplementedError()",
            2,
        ),
        ("x = NotImplementedError", 0),
    ],
)
def test_gaps_are_counted(code, count):
    assert count_gaps(ast.parse(code)) == count
