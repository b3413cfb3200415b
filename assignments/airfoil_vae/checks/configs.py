"""The two YAML files of a hand-in, as the grader takes them; what may stand in them says `yaml_rules.py`."""

from typing import Any

from grader.authoring.trained_again import CannotTrain

from ..yaml_rules import MODEL_FILE, TRAIN_FILE, SettingsError, read_settings


class ConfigError(CannotTrain):
    """A configuration that cannot be used; the message is a sentence for the student."""


def read_configs(files: dict[str, bytes]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read and check what the student's model is trained with.

    Args:
        files: The configuration files of a submission, by name.

    Returns:
        `model_config` and `train_config`: dictionaries of numbers, words, lists and dictionaries.

    Raises:
        ConfigError: If one is missing, not readable, or asks for what the exercise does not allow.
    """
    for name in (MODEL_FILE, TRAIN_FILE):
        if name not in files:
            raise ConfigError(
                f"{name} is not in the file you handed in: run the notebook's last cell, it writes and packs it",
                "missing",
            )
    try:
        return read_settings(MODEL_FILE, files[MODEL_FILE]), read_settings(TRAIN_FILE, files[TRAIN_FILE])
    except SettingsError as error:
        raise ConfigError(str(error)) from None
