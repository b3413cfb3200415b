"""Configurations of strangers: read as plain values, or one sentence, whatever is in the file."""

import pytest
import yaml

from assignments.airfoil_vae.checks.configs import ConfigError, read_configs
from assignments.airfoil_vae.numbers import MODEL, TRAIN
from assignments.airfoil_vae.yaml_rules import MAX_BYTES


def _files(model: object = MODEL, train: object = TRAIN) -> dict[str, bytes]:
    named = {"model_config.yaml": model, "train_config.yaml": train}
    return {
        name: config if isinstance(config, bytes) else yaml.safe_dump(config).encode() for name, config in named.items()
    }


def _sentence(**files: object) -> str:
    with pytest.raises(ConfigError) as refused:
        read_configs(_files(**files))
    text = str(refused.value)
    assert len(text) < 300
    assert "\n" not in text
    assert text.isprintable()
    return text


def test_what_save_yaml_writes_is_read(tmp_path) -> None:
    from utils import save_yaml

    for name, config in (("model_config.yaml", MODEL), ("train_config.yaml", TRAIN)):
        save_yaml(config, tmp_path / name)
    assert read_configs({path.name: path.read_bytes() for path in tmp_path.iterdir()}) == (MODEL, TRAIN)


def test_numbers_typed_by_hand_are_numbers() -> None:
    train = b"beta: 4e-4\nn_iters: 10\noptimizer_name: SGD\noptimizer_config:\n  lr: 1e-3\n"
    config = read_configs(_files(train=train))[1]
    assert config == {"beta": 4e-4, "n_iters": 10, "optimizer_name": "SGD", "optimizer_config": {"lr": 1e-3}}


def test_the_linear_model_is_the_notebooks_own() -> None:
    assert "without any the model is linear" in _sentence(model=MODEL | {"hidden_dims": []})
    assert read_configs(_files(model=MODEL | {"hidden_dims": [1]}))[0]["hidden_dims"] == [1]


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"train_config.yaml is not in the file you handed in") as refused:
        read_configs({"model_config.yaml": yaml.safe_dump(MODEL).encode()})
    assert refused.value.status == "missing"


@pytest.mark.parametrize(
    ("name", "value"), [("input_size", 100), ("latent_size", 11), ("latent_size", None), ("latent_size", True)]
)
def test_fixed_sizes_stay(name: str, value: object) -> None:
    assert f"{name} in model_config.yaml is" in _sentence(model=MODEL | {name: value})
    assert "does not change" in _sentence(model=MODEL | {name: value})


@pytest.mark.parametrize("widths", [None, 64, "64", [0], [64.5], [True], [10**9], [64] * 99, [[64]]])
def test_hidden_dims_are_a_short_list_of_widths(widths: object) -> None:
    assert "hidden_dims in model_config.yaml is" in _sentence(model=MODEL | {"hidden_dims": widths})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_iters", 10**12), ("n_iters", 0), ("n_iters", 5.5), ("n_iters", "many"), ("beta", -1), ("beta", [1]), ("beta", None),
        ("batch_size", 0), ("batch_size", 10**9), ("running_avg_window", 0), ("optimizer_name", 3), ("optimizer_name", None),
        ("optimizer_config", [1]), ("lr_scheduler_config", "gamma"), ("rec_loss_fn", "MSELoss"),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_named(name: str, value: object) -> None:
    assert name in _sentence(train=TRAIN | {name: value})


_BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 9)) for n in range(20)
)
HOSTILE = {
    "bomb": _BOMB,
    "merge": b"a: &a {x: 1}\nb:\n  <<: *a\n",
    "python object": b"!!python/object/apply:os.system ['echo got in']",
    "python name": b"beta: !!python/name:os.system",
    "python module": b"? !!python/module:os\n: 1\n",
    "own tag": b"beta: !mine 3",
    "deep list": b"[" * 8000,
    "deep mapping": b"{a: " * 3000,
    "long number": b"beta: " + b"9" * 15000,
    "nan": b"beta: .nan",
    "infinity": b"beta: .inf",
    "date": b"beta: 2024-01-01",
    "bytes": b"beta: !!binary aGVsbG8=",
    "set": b"!!set {a, b}",
    "not utf-8": b"\xff\xfe\x00beta",
    "control": b"beta: \x07\x1b[31m",
    "zero byte": b"beta: \x00",
    "text": b"hello",
    "list": b"- 1\n- 2",
    "empty": b"",
    "number keys": b"1: 2",
    "two documents": b"a: 1\n---\nb: 2\n",
    "too long": b"# " + b"x" * MAX_BYTES,
    "right to left": "beta\u202e: 1".encode(),
}


@pytest.mark.parametrize("which", ["model", "train"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_become_a_sentence(name: str, which: str, capfd) -> None:
    assert f"{which}_config.yaml" in _sentence(**{which: HOSTILE[name]})
    assert "got in" not in capfd.readouterr().out
