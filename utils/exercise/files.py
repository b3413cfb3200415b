"""Configurations as YAML files, and the archive they travel in."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml


def save_yaml(config: dict[str, Any], path: str | Path) -> None:
    """Write a configuration, in the order of its keys.

    Args:
        config: Names to numbers, words, True, False, None, and lists and dictionaries of these.
        path: The file, overwritten when it exists.

    Raises:
        TypeError: If `config` is no dictionary or holds anything else; nothing is written then.
    """
    if not isinstance(config, dict):
        raise TypeError(f"save_yaml: got {type(config).__name__}, expected a dictionary such as model_config.")
    text = yaml.safe_dump(_to_plain(config, ""), sort_keys=False, allow_unicode=True)
    Path(path).write_text(text, encoding="utf-8")


def zip_files(path: str | Path, files: Sequence[str | Path]) -> None:
    """Pack files side by side, without their folders. For packing by hand: `hand_in` packs by itself, and checks first.

    Args:
        path: The archive, overwritten when it exists.
        files: What goes in.

    Raises:
        FileNotFoundError: If a file is missing; no archive is written then.
        ValueError: If two files have the same name, or the archive is among the files.
    """
    sources = [Path(file) for file in files]
    missing = [str(source) for source in sources if not source.is_file()]
    if missing:
        raise FileNotFoundError(f"zip_files: {', '.join(missing)} not found in {Path.cwd()}; write it first, then zip.")
    names = [source.name for source in sources]
    if len(set(names)) < len(names) or Path(path).resolve() in [source.resolve() for source in sources]:
        raise ValueError(
            f"zip_files: {', '.join(names)} into {path}: each name may occur once, the archive's own not at all."
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sources:
            archive.write(source, source.name)


def _to_plain(value: Any, where: str) -> Any:
    """numpy's and torch's single numbers become Python's; anything YAML has no word for is named with its place."""
    if isinstance(value, dict):
        return {str(key): _to_plain(inner, f"{where}.{key}".lstrip(".")) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(inner, f"{where}[{index}]") for index, inner in enumerate(value)]
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"save_yaml: {where} is of type {type(value).__name__}, expected a number, word, True, False, None, "
        "or a list or dictionary of these; a loss function, for example, cannot be stored."
    )
