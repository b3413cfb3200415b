"""One table of rules: the hand-in, the grader and the notebook's text agree, for values made by rule."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages import PROJECT

from assignments.airfoil_vae.checks.configs import ConfigError, read_configs
from assignments.airfoil_vae.yaml_rules import MODEL_FILE, RULES, TRAIN_FILE, find_problems, rules_table

MODEL = {"input_size": 200, "hidden_dims": [64], "latent_size": 10}
TRAIN = {"beta": 1e-4, "n_iters": 300, "batch_size": 64}
EDGES = [
    0,
    1,
    10,
    16,
    17,
    200,
    4096,
    4097,
    10**6,
    10**6 + 1,
    2 * 10**6,
    1e6,
    1.5,
    -1,
    True,
    None,
    "1e-4",
    "2e6",
    "64",
    "x",
    [],
    [64],
    {},
]
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(EDGES)
VALUES = PLAIN | st.lists(PLAIN, max_size=20) | st.dictionaries(st.text(max_size=3), PLAIN, max_size=2)
NAMES = st.sampled_from([rule.name for rule in RULES]) | st.text(max_size=4)
# What no rule reads: an optimizer's own name and settings, which only building it can tell.
OWN = {"optimizer_name", "optimizer_config", "lr_scheduler_name", "lr_scheduler_config"}


def _written(folder: Path, model: object, train: object) -> dict[str, bytes]:
    files = {MODEL_FILE: yaml.safe_dump(model).encode(), TRAIN_FILE: yaml.safe_dump(train).encode()}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return files


def _said_by_both(folder: Path, files: dict[str, bytes]) -> tuple[list[str], str]:
    try:
        read_configs(files)
    except ConfigError as error:
        return find_problems(folder), str(error)
    return find_problems(folder), ""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, VALUES, max_size=3), st.dictionaries(NAMES, VALUES, max_size=4))
def test_both_say_the_same_of_any_values(tmp_path: Path, model: dict, train: dict) -> None:
    files = _written(tmp_path, MODEL | model, {k: v for k, v in (TRAIN | train).items() if k not in OWN})
    hand_in, grader = _said_by_both(tmp_path, files)
    assert (hand_in[0] if hand_in else "") == grader


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_is_kept_by_both_at_its_edges(rule, tmp_path: Path) -> None:
    kept = 0
    for value in EDGES:
        both = {MODEL_FILE: dict(MODEL), TRAIN_FILE: dict(TRAIN)}
        both[rule.file][rule.name] = value
        files = _written(tmp_path, both[MODEL_FILE], both[TRAIN_FILE])
        hand_in, grader = _said_by_both(tmp_path, files)
        if grader:
            assert hand_in == [grader]
            assert f"{rule.name} in {rule.file}" in grader
            assert rule.expected in grader
        else:
            assert [said for said in hand_in if "cannot be trained with" not in said] == []
            kept += 1
    assert 0 < kept < len(EDGES)


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [("beta: 1e-4", True), ("n_iters: 2e6", False), ("n_iters: 2000000", False), ("beta: '3'", True)],
)
def test_numbers_typed_by_hand(tmp_path: Path, text: str, is_kept: bool) -> None:
    files = _written(tmp_path, MODEL, TRAIN) | {TRAIN_FILE: text.encode()}
    (tmp_path / TRAIN_FILE).write_text(text, encoding="utf-8")
    hand_in, grader = _said_by_both(tmp_path, files)
    assert (hand_in == []) == (grader == "") == is_kept


def test_the_notebook_shows_the_rules() -> None:
    source = (PROJECT / "assignments/airfoil_vae/notebook.py").read_text(encoding="utf-8")
    assert "".join(f"# {line}\n" for line in rules_table().splitlines()) in source
