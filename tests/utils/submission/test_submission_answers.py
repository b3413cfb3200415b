"""What costs points is found: tasks and responses without an answer, and nothing else."""

import pytest
from finished import as_bytes, cell_of, finished

from tools.notebooks import student_notebook
from utils.assignments import UNANSWERED, load_assignment
from utils.notebook.cells import read_notebook
from utils.notebook.recognition import recognise
from utils.submission.answers import find_problems
from utils.submission.findings import GO_FURTHER

NAME = "01_kl_divergence"


def findings(notebook) -> list:
    read = read_notebook(as_bytes(notebook))
    return find_problems(read, *recognise(read))


def sentences(notebook) -> list[str]:
    return [f"{finding.question.id} ({finding.points}): {finding.text}" for finding in findings(notebook)]


def edit(notebook, start: str, old: str, new: str):
    cell = cell_of(notebook, start)
    assert old in cell.source
    cell.source = cell.source.replace(old, new)
    return notebook


@pytest.mark.parametrize("name", ["01_kl_divergence", "02_airfoil_vae", "03_mnist_vae", "04_cifar_dcgan"])
def test_a_finished_notebook_has_no_findings_and_an_untouched_one_all(name):
    assert sentences(finished(name)) == []
    found = findings(student_notebook(name))
    given = {"cvae.samples"}  # its picture follows from other answers, nothing is to be written
    expected = [q.id for q in load_assignment(name).questions if q.points and q.id not in given]
    assert list(dict.fromkeys(finding.question.id for finding in found)) == expected
    left_out = sum(q.points for q in load_assignment(name).questions if q.id in given)
    assert sum(finding.points for finding in found) == load_assignment(name).total_points - left_out


def test_untouched_tasks_and_empty_responses_are_named():
    found = sentences(student_notebook(NAME))
    assert "kl.D_KL (5): nothing is filled in yet in cell 15" in found
    assert "kl.beta (5): response 2 of 2 is empty" in found


def test_a_gap_left_open_in_a_cell_that_was_worked_on_is_counted():
    notebook = edit(student_notebook(NAME), "# AUTOGRADED (5) D_KL", "    raise", "    kl = mu * logvar\n    raise")
    assert "kl.D_KL (5): 1 gap still open in cell 15" in sentences(notebook)


def test_a_gap_outside_the_tasks_is_found():
    (found,) = [s for s in sentences(student_notebook("02_airfoil_vae")) if s.startswith("air.quality")]
    assert found.startswith("air.quality (15): the gap in cell ")
    assert "vae.beta (2): the gap in cell" in "\n".join(sentences(student_notebook("03_mnist_vae")))


@pytest.mark.parametrize("name", ["01_kl_divergence", "02_airfoil_vae", "03_mnist_vae", "04_cifar_dcgan"])
def test_what_earns_nothing_may_stay_open(name):
    notebook, untouched = finished(name), student_notebook(name)
    further = [n for n, cell in enumerate(untouched.cells) if cell.source.startswith(GO_FURTHER)]
    assert further
    for n in further:
        assert "NotImplementedError" in untouched.cells[n].source
        notebook.cells[n].source = untouched.cells[n].source
    assert sentences(notebook) == []


def test_a_cell_that_does_not_parse_is_named_with_its_line():
    notebook = edit(finished(NAME), "# AUTOGRADED (5) D_KL", "return kl.mean()", "return kl.mean(")
    (found,) = sentences(notebook)
    assert found.startswith("kl.D_KL (5): cell 15 does not parse (line")


def test_a_name_that_is_not_allowed_is_named():
    start = "# AUTOGRADED (5) log_prob"
    (found,) = sentences(edit(finished(NAME), start, "    K = ", "    torch.distributions.Normal(0, 1)\n    K = "))
    assert "uses `torch.distributions`, which an answer may not" in found


def test_an_import_beyond_the_first_cell_is_named_and_an_allowed_one_not():
    start = "# AUTOGRADED (5) log_prob"
    (found,) = sentences(edit(finished(NAME), start, "    K = ", "    import scipy\n    K = "))
    assert "uses `import scipy`, which an answer may not" in found
    assert sentences(edit(finished(NAME), start, "    K = ", "    import math\n    K = ")) == []


def test_a_deleted_cell_is_missing():
    notebook = finished(NAME)
    notebook.cells.remove(cell_of(notebook, "# AUTOGRADED (5) elbo"))
    (found,) = sentences(notebook)
    assert found.startswith("kl.elbo (5): no cell begins with `# AUTOGRADED (5) elbo`")


@pytest.mark.parametrize(
    ("response", "is_answered"),
    [
        (f"**RESPONSE:**\n\n{UNANSWERED}", False),
        (f"**RESPONSE:** (a) beta too large\n\n{UNANSWERED}", False),
        ("**RESPONSE:**", False),
        ("**RESPONSE:**\n\n \n", False),
        (f"**RESPONSE:**\n\n{UNANSWERED}\n\nBy Jensen's inequality.", True),
        ("**RESPONSE:** By Jensen's inequality.", True),
        ("**Response**: $x = 1$", True),
    ],
)
def test_an_answer_is_text_of_the_students_own(response, is_answered):
    notebook = finished(NAME)
    cell_of(notebook, "**RESPONSE:**").source = response
    assert sentences(notebook) == ([] if is_answered else ["kl.general (10): the response is empty"])


def test_a_deleted_response_is_missing():
    notebook = finished(NAME)
    notebook.cells.remove(cell_of(notebook, "**RESPONSE:**"))
    assert sentences(notebook) == ["kl.general (10): the response is missing; begin a text cell with **RESPONSE:**"]
