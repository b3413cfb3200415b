"""The surface: chosen names, comments, lines and words, where they stand, and what a shared mark looks like."""

from grader.similarity.given import given, has_solution
from grader.similarity.marking import marked
from grader.similarity.quiet import quiet_evidence
from grader.similarity.structure import structure
from grader.similarity.surface import surface, words
from tests.mutants import solution_of
from utils.assignments import all_assignments

CODE = "def f(x):\n    # take the hidden road home\n    hidden_road = x * 2  # twice\n    return hidden_road"


def test_names_comments_and_lines_are_found_where_they_stand() -> None:
    found = surface(CODE)
    assert {
        "name:hidden_road",
        "name:f",
        "comment:the hidden road",
        "comment:twice",
        "line:return hidden_road",
    } <= found.keys()
    assert found["name:hidden_road"] == [(3, 4, 3, 15)]
    assert found["comment:the hidden road"][0][:2] == (2, 4)
    assert "name:x * 2" not in found


def test_runs_of_words_ignore_case_and_punctuation() -> None:
    first = words("The KL term pulls the posterior to the prior.")
    second = words("... so THE kl term, pulls the codes elsewhere")
    assert first.keys() & second.keys() == {"words:the kl term", "words:kl term pulls", "words:term pulls the"}


def test_what_the_course_gave_is_known() -> None:
    for assignment in all_assignments():
        assert has_solution(assignment)
        known = given(assignment)
        for task in assignment.tasks:
            assert structure(task.untouched_source).keys() <= known
            assert structure(solution_of(assignment.notebook)[task.id]).keys() <= known


def test_marks_stand_around_the_span_and_all_else_is_escaped() -> None:
    assert marked("ä < b\nc & d", [(1, 5, 2, 1)]) == "ä &lt; <mark>b\nc</mark> &amp; d"
    assert marked("<i>", [(1, 0, 9, 9), (-1, 0, 1, 1), (1, 0, 1, 3)]) == "<mark>&lt;i&gt;</mark>"
    assert "not shown" in marked("x" * 50_000, [])


def test_quiet_traces_are_read_from_anything() -> None:
    notebook = {
        "metadata": {"colab": {"authorship_tag": "ABX9"}, "kernelspec": {"name": "python3"}},
        "cells": [
            {
                "id": "a1",
                "metadata": {"executed": ["10:03"]},
                "outputs": [{"text": ["loss 0.123456789 and 0.987654321"]}],
            },
            {"id": 7, "metadata": None, "outputs": [{"data": {"text/plain": 3}}, 5, {"text": "ok"}]},
            "no cell",
        ],
    }
    found = quiet_evidence(notebook)
    assert {"metadata:colab.authorship_tag=ABX9", "cell id:a1", "cell metadata:executed=10:03"} <= found
    assert sum(trace.startswith("output:") for trace in found) == 1
    assert quiet_evidence({"cells": 3, "metadata": []}) == frozenset()
