"""Notebook 2's configurations: what the grader could not train with is said, and what it can is not."""

import pytest

from assignments.airfoil_vae.numbers import MODEL, TRAIN
from assignments.airfoil_vae.yaml_rules import find_problems
from utils.exercise.files import save_yaml


def problems(folder, model=MODEL, train=TRAIN) -> list[str]:
    save_yaml(model, folder / "model_config.yaml")
    save_yaml(train, folder / "train_config.yaml")
    return find_problems(folder)


@pytest.mark.parametrize(
    "train",
    [
        TRAIN,
        {},
        {**TRAIN, "lr_scheduler_name": None, "lr_scheduler_config": {}},
        {**TRAIN, "beta": 0, "lr_scheduler_name": "ReduceLROnPlateau", "lr_scheduler_config": {"patience": 5}},
    ],
)
def test_what_can_be_trained_is_silent(tmp_path, train):
    assert problems(tmp_path, train=train) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"input_size": 100}, "input_size in model_config.yaml is 100, expected 200, which does not change"),
        ({"latent_size": "10"}, "latent_size in model_config.yaml is 10.0, expected 10, which does not change"),
        (
            {"hidden_dims": [64, 0]},
            "hidden_dims in model_config.yaml is [64, 0], expected a list of 1 to 16 whole numbers",
        ),
        ({"hidden_dims": 64}, "is 64, expected a list"),
        ({"hidden_dims": []}, "is [], expected a list of 1 to 16 whole numbers"),
        ({"dropout": 0.1}, "holds 'dropout', which is not read; it may hold input_size, latent_size, hidden_dims"),
    ],
)
def test_a_model_that_cannot_be_built_is_told(tmp_path, change, said):
    (problem,) = problems(tmp_path, model={**MODEL, **change})
    assert said in problem


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"optimizer_name": "Adamm"}, "optimizer: 'Adamm' is none that this course trains with; did you mean 'Adam'?"),
        ({"optimizer_config": {"rate": 1}}, "optimizer Adam: unknown setting rate"),
        ({"lr_scheduler_name": "StepLRR"}, "did you mean 'StepLR'?"),
        ({"n_iters": 0}, "n_iters in train_config.yaml is 0, expected a whole number from 1 to 1,000,000"),
        ({"n_iters": 2_000_000}, "is 2000000, expected a whole number from 1 to 1,000,000"),
        ({"batch_size": 2.5}, "batch_size in train_config.yaml is 2.5"),
        ({"beta": -1}, "beta in train_config.yaml is -1, expected a number from 0"),
        ({"beta": float("nan")}, "finite numbers"),
        ({"plot_freq": 100}, "holds 'plot_freq', which is not read"),
    ],
)
def test_a_training_that_cannot_run_is_told(tmp_path, change, said):
    (problem,) = problems(tmp_path, train={**TRAIN, **change})
    assert said in problem


def test_files_that_are_not_there_are_told_each(tmp_path):
    assert find_problems(tmp_path) == [
        f"{name} is not beside the notebook: run the cell that writes it"
        for name in ("model_config.yaml", "train_config.yaml")
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", "is not a list of names and plain values"),
        ("- 1\n", "holds a list, expected names and values"),
        ("!!python/object/apply:os.system ['true']", "is not a list of names and plain values"),
        ("\xff", "is not a list of names and plain values"),
        ("beta: much", "beta in train_config.yaml is 'much', expected a number"),
    ],
)
def test_a_file_edited_by_hand_is_read_as_the_grader_reads_it(tmp_path, text, said):
    problems(tmp_path)
    (tmp_path / "train_config.yaml").write_bytes(text.encode("latin-1"))
    (problem,) = find_problems(tmp_path)
    assert said in problem


def test_a_number_without_a_dot_is_one(tmp_path):
    problems(tmp_path)
    (tmp_path / "train_config.yaml").write_text("beta: 1e-4", encoding="utf-8")
    assert find_problems(tmp_path) == []
