"""Which answers in words were given, and to which question they belong."""

import pytest

from utils.assignments import UNANSWERED, load_assignment
from utils.notebook.cells import Cell, Notebook
from utils.notebook.responses import answered_questions, responses

ASSIGNMENT = load_assignment("01_kl_divergence")


def notebook(*texts: str, kind: str = "markdown") -> Notebook:
    return Notebook(tuple(Cell(number, kind, text) for number, text in enumerate(texts, 1)))


def test_an_answer_belongs_to_the_question_above_it():
    found = responses(
        notebook(
            "### 1.1 By hand\n**`kl.general`** · manual 10", "**RESPONSE:**\n\nIt is so.", "prose", "**RESPONSE:** more"
        ),
        ASSIGNMENT,
    )
    assert found["kl.general"] == [(2, "It is so."), (4, "more")]
    assert all(cells == [] for question, cells in found.items() if question != "kl.general")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (f"**RESPONSE:**\n\n{UNANSWERED}", ""),
        (f"**RESPONSE:** (a) beta too large\n\n{UNANSWERED}", ""),
        (f"**RESPONSE:** (a) beta too large\n\n{UNANSWERED}\nIt collapses.", "It collapses."),
        (f"**RESPONSE:** (a)\nBefore it. {UNANSWERED}", "Before it."),
        ("**RESPONSE:**", ""),
        ("**RESPONSE:**   \n  ", ""),
        ("**response**: yes", "yes"),
        ("\n ** Response : ** yes", "yes"),
        ("**RESPONSE:** yes", "yes"),
    ],
)
def test_what_counts_as_an_answer(text, answer):
    found = responses(notebook("**`kl.general`** · manual 10", text), ASSIGNMENT)
    assert [written for _, written in found["kl.general"]] == [answer]


def test_what_is_no_response():
    texts = ("**`kl.general`** · manual 10", "I respond: **RESPONSE:** later", "RESPONSE: without stars")
    assert responses(notebook(*texts), ASSIGNMENT)["kl.general"] == []
    assert responses(notebook("**`kl.general`**", "**RESPONSE:** x", kind="code"), ASSIGNMENT)["kl.general"] == []
    assert responses(notebook("**RESPONSE:** before any question"), ASSIGNMENT)["kl.general"] == []


def test_an_unknown_question_does_not_take_over():
    found = responses(notebook("**`kl.general`**", "**`no.such`** · manual 3", "**RESPONSE:** x"), ASSIGNMENT)
    assert [text for _, text in found["kl.general"]] == ["x"]


def test_question_and_response_in_one_cell():
    found = responses(notebook("**RESPONSE:** first\n**`kl.general`** · manual 10"), ASSIGNMENT)
    assert [number for number, _ in found["kl.general"]] == [1]


def test_each_response_cell_counts_for_itself():
    answered = answered_questions(
        notebook("**`kl.beta`** · manual 5 · manual 5", f"**RESPONSE:** (a)\n{UNANSWERED}", "**RESPONSE:** (b)\ntext"),
        ASSIGNMENT,
    )
    assert answered["kl.beta"] == (False, True)
    assert answered["kl.general"] == ()
