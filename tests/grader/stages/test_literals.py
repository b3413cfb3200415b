"""Numbers written out where the notebook has names for them, and answers that work row by row."""

import ast

import pytest
from support import answers

from grader.stages.literals import with_names
from grader.stages.pipeline import Grader
from tests.mutants import solution_of

NAMES = {25: "NUM_EPOCHS", 128: "BATCH_SIZE"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("for _ in range(25):\n    f(128, 128.0, '128', 1128)", "for _ in range(NUM_EPOCHS):\n    f(BATCH_SIZE, 128.0, '128', 1128)"),
        ("x = 'é', 128, 25  # 128", "x = 'é', BATCH_SIZE, NUM_EPOCHS  # 128"),
        ("x = True", "x = True"),
        ("x = (", "x = ("),
    ],
)  # fmt: skip
def test_whole_numbers_get_their_names_and_lines_stay(source: str, expected: str) -> None:
    assert with_names(source, NAMES) == expected
    assert with_names(source, {}) == source


def test_the_whole_class_may_say_its_numbers(grader: Grader) -> None:
    source = (
        solution_of("04_cifar_dcgan")["gan.train"].replace("self._batch_size", "128").replace("self._num_epochs", "25")
    )
    assert "range(done, 25)" in source
    ast.parse(source)
    report = grader.grade_bytes(answers("04_cifar_dcgan", {"gan.train": source}), "a.ipynb", "student")
    assert [v.sentence for v in report.verdicts if v.task == "gan.train" and v.status != "passed"] == []


BY_ROWS = {
    "01_kl_divergence": {
        "kl.gaussians": "kl_divergence", "kl.log_prob": "log_prob", "kl.mc": "kl_q_p_mc", "kl.exact": "kl_q_p_exact",
    },
    "03_mnist_vae": {"fc.reparametrize": "reparametrize", "cvae.model.idx2onehot": "idx2onehot"},
}  # fmt: skip


@pytest.mark.parametrize(("name", "task"), [(name, task) for name, tasks in BY_ROWS.items() for task in tasks])
def test_an_answer_may_work_row_by_row(grader: Grader, name: str, task: str) -> None:
    function = BY_ROWS[name][task]
    whole = solution_of(name)[task].replace(f"def {function}(", "def _whole(")
    source = f"""{whole}

def {function}(first, *others):
    rows = range(len(first))
    pick = lambda value, n: value[n : n + 1] if torch.is_tensor(value) and value.ndim else value
    return torch.cat([_whole(first[n : n + 1], *(pick(other, n) for other in others)) for n in rows])
"""
    report = grader.grade_bytes(answers(name, {task: source}), "a.ipynb", "student")
    lost = [v.sentence for v in report.verdicts if v.task == task and v.status not in ("passed", "manual")]
    published = [one for one in lost if "mean differs" in one]  # one draw for all rows is another order of noise
    assert [one for one in lost if one not in published] == []
