"""The line of points below a test: it counts what is green now, and nothing that its answer has outgrown."""

import random
from types import SimpleNamespace

import pytest

from tools.notebook_source import read_source, source_names
from utils.assignments import load_assignment
from utils.exercise.points import PointsSoFar, name_of_test


def ran(source: str, holds: bool = True) -> SimpleNamespace:
    return SimpleNamespace(info=SimpleNamespace(raw_cell=source), success=holds)


@pytest.mark.parametrize("name", source_names())
def test_every_test_cell_behind_an_answer_belongs_to_it(name):
    named = [digest for task in load_assignment(name).tasks for digest in task.tests]
    behind = []
    for question in read_source(name).questions:
        is_behind = False
        for cell in question.cells:
            is_behind |= cell.role == "autograded"
            behind += [name_of_test(cell.text)] if cell.role == "test" and is_behind else []
    assert named == behind
    assert len(set(named)) == len(named)


@pytest.mark.parametrize("name", source_names())
@pytest.mark.parametrize("seed", range(3))
def test_the_line_counts_what_is_green_in_any_order(name, seed, capsys):
    """A walk at random through answers and tests, beside a count of one's own."""
    draw, source, assignment = random.Random(seed), read_source(name), load_assignment(name)
    points, green, answers = PointsSoFar(assignment), set(), {}
    tests = {name_of_test(cell.text): cell.text for cell in source.cells_of("test")}
    tested = [task for task in assignment.tasks if task.tests]
    for _ in range(80):
        task = draw.choice(tested)
        if draw.random() < 0.3:
            answer = draw.randrange(2)
            points.note_end(ran(f"# AUTOGRADED ({task.points}) {task.word}\nanswer = {answer}  # {draw.random()}"))
            if answers.get(task.id) != answer:
                green -= set(task.tests)
            answers[task.id] = answer
            assert capsys.readouterr().out == ""
            continue
        digest, holds = draw.choice(task.tests), draw.random() < 0.8
        points.note_end(ran(tests[digest] + "\n", holds))
        green = green | {digest} if holds else green - {digest}
        won = sum(task.points for task in tested if green.issuperset(task.tests))
        total = sum(task.points for task in tested)
        waiting = len(set(task.tests) - green)
        more = f"{task.word} has {waiting} other tests.\n".replace("1 other tests", "another test") if waiting else ""
        line = f"{more}So far the tests of {won} of {total} points are green here; the grader tries other inputs too.\n"
        assert capsys.readouterr().out == (line if holds else "")


def test_a_cell_of_ones_own_says_nothing(capsys):
    points = PointsSoFar(load_assignment(source_names()[0]))
    for source in ("", "# TEST\nassert True", "x = 1", "%matplotlib inline"):
        points.note_end(ran(source))
    points.note_end(SimpleNamespace(info=None, success=True))
    assert capsys.readouterr().out == ""
