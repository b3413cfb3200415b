"""Notebook 2's configurations: what the grader could not train with is said, and what it can is not."""

import pytest

from assignments.airfoil_vae.hand_in import find_problems
from utils.exercise.files import save_yaml

MODEL = {"input_size": 200, "hidden_dims": [512, 256], "latent_size": 10}
TRAIN = {
    "beta": 0.00043, "optimizer_name": "Adam", "optimizer_config": {"lr": 1e-3},
    "lr_scheduler_name": "StepLR", "lr_scheduler_config": {"step_size": 200, "gamma": 0.7}, "n_iters": 5000,
}  # fmt: skip


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
    assert problems(tmp_path, model={**MODEL, "hidden_dims": []}) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"input_size": 100}, "model_config.yaml has input_size 100, expected 200, which is fixed"),
        ({"latent_size": "10"}, "model_config.yaml has latent_size '10', expected 10, which is fixed"),
        ({"hidden_dims": [64, 0]}, "has hidden_dims [64, 0], expected a list of whole numbers above 0"),
        ({"hidden_dims": 64}, "has hidden_dims 64, expected a list"),
        ({"dropout": 0.1}, "has the unknown setting dropout; it takes hidden_dims, input_size, latent_size"),
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
        ({"n_iters": 0}, "train_config.yaml has n_iters 0, expected a whole number above 0"),
        ({"batch_size": 2.5}, "has batch_size 2.5"),
        ({"beta": -1}, "has beta -1, expected a number, 0 or above"),
        ({"beta": float("nan")}, "has beta nan"),
        ({"plot_freq": 100}, "has the unknown setting plot_freq"),
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
        ("a: [1", "cannot be read as YAML"),
        ("- 1\n", "holds list, expected names with values"),
        ("!!python/object/apply:os.system ['true']", "cannot be read as YAML"),
        ("\xff", "cannot be read as YAML"),
        ("beta: 1e-4", "has beta '1e-4', expected a number, 0 or above (YAML 1.1 reads 1e-4 as a word: write 1.0e-4)"),
    ],
)
def test_a_file_edited_by_hand_is_read_as_the_grader_reads_it(tmp_path, text, said):
    problems(tmp_path)
    (tmp_path / "train_config.yaml").write_bytes(text.encode("latin-1"))
    (problem,) = find_problems(tmp_path)
    assert said in problem
