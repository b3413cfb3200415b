"""The notebook's numbers: one module for the checks, the same as in the given cell, and in the probes' own copy."""

import ast
import re
from contextlib import suppress

from assignments.cifar_dcgan import numbers, probes
from utils.assignments import load_assignment
from utils.assignments.places import place_of

NAME = "04_cifar_dcgan"


def test_they_are_the_given_cells() -> None:
    cell = next(source for source in load_assignment(NAME).prelude if "LEARNING_RATE = " in source)
    given = {}
    for node in ast.parse(cell).body:
        with suppress(ValueError):  # only plain values
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                given[node.targets[0].id] = ast.literal_eval(node.value)
    for name in ("LEARNING_RATE", "ADAM_BETAS", "VIS_LEARNING_RATE"):
        assert getattr(numbers, name) == given[name]
    assert probes._ADAM == {"lr": numbers.LEARNING_RATE, "betas": numbers.ADAM_BETAS}


def test_no_check_or_slip_repeats_them() -> None:
    folder = place_of(NAME).path
    code = [path.read_text(encoding="utf-8") for path in (*folder.glob("checks/*.py"), folder / "slips.py")]
    lines = [line.partition("#")[0] for text in code for line in text.splitlines()]
    assert [line for line in lines if re.search(r'(?<!")\b(2e-4|0\.0002)\b', line)] == []
