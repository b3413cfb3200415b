"""What copying earns in notebook 2: each training that the notebook does anywhere, handed in as the design of 5.1.

    python -m tests.copied            which settings stand in the notebook and are not measured yet
    python -m tests.copied --keep     have the grader grade each, as hand-ins with two secrets, and write tests/copied.json

Nobody lists the trainings: the student's notebook runs with a `train_VAE` that writes down what it is called with. Where a training
goes on with a trained model, its settings count alone. Beside them stands what must earn all: a row of 4.1 that somebody trains for
longer. (So must the published settings: docs/airfoil-quality.md.)
"""

import argparse
import contextlib
import inspect
import io
import json
import sys
import warnings
import zipfile
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import yaml

from grader.stages.pipeline import Grader
from tests.support import answers
from tools.notebook_source import SourceCell, read_source
from tools.open_gaps import keep_solutions, open_gaps

NAME, PART = "02_airfoil_vae", "air.quality.quality"
FULL = 15.0
NEAR, LONGER = 4e-4, 4  # a beta of 4.1 between its failures, and how many times as long somebody trains with it
TABLE = Path(__file__).with_suffix(".json")
_SALTS = ("one", "two")
_NOT_HANDED_IN = ("model", "train_dataset", "device", "plot_freq", "rec_loss_fn")
_LEAVES = ("plot_airfoils", "draw_airfoils", "Film", "Movable", "save_yaml", "save_weights")  # a picture, a file
_SHOWN = ("hidden_dims", "beta", "n_iters", "optimizer_config", "lr_scheduler_name")

Settings = dict[str, dict[str, Any]]  # model_config and train_config


@cache
def trainings() -> list[Settings]:
    """What the student's notebook trains with, before 5.1's gap is filled; each once, in order."""
    names: dict[str, Any] = {"__name__": "__main__"}
    noted: list[Settings] = []
    for cell in read_source(NAME).cells:
        if cell.kind == "code" and "hand_in(" in cell.text:
            break
        if cell.kind != "code" or cell.role in ("setup", "test") or cell.first_line == "# CHECK":
            continue
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(_given(cell), f"<cell {cell.number}>", "exec"), names)
        if cell.role == "imports":
            names |= {"FAST": False} | {name: MagicMock() for name in _LEAVES}
        if cell.tag[1] == "train_VAE":
            _note(names, noted)
    return list({json.dumps(one): one for one in noted}.values())


def enough() -> Settings:
    """What must earn all points: a row of 4.1 that is near, trained for longer."""
    near = [one for one in trainings() if one["train_config"]["beta"] == NEAR and one["model_config"]["hidden_dims"]]
    longer = {**near[0]["train_config"], "n_iters": LONGER * max(one["train_config"]["n_iters"] for one in near)}
    return {**near[0], "train_config": longer}


def points(grader: Grader, settings: Settings) -> tuple[float, str]:
    """What a grader gives a hand-in with these settings, and says of it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{NAME}.ipynb", answers(NAME))
        for name, config in settings.items():
            archive.writestr(f"{name}.yaml", yaml.safe_dump(config))
    report = grader.grade_bytes(file.getvalue(), "ada.zip", "ada")
    verdict = next(verdict for verdict in report.verdicts if verdict.check == PART)
    return verdict.points, verdict.sentence


def kept() -> list[dict[str, Any]]:
    """What was measured, an entry for each settings."""
    return json.loads(TABLE.read_text(encoding="utf-8"))


def _given(cell: SourceCell) -> str:
    """A cell as a student has it who has solved what is graded, and has left all else as it was given."""
    if cell.role == "autograded":
        return keep_solutions(cell)
    return "\n".join(line for line in open_gaps(cell, "").split("\n") if "raise NotImplementedError" not in line)


def _note(names: dict[str, Any], noted: list[Settings]) -> None:
    """Put in place of `VAE` and `train_VAE` what writes down how they are called, and trains one step."""
    whole, plain = names["train_VAE"], names["VAE"]

    class Noted(plain):  # type: ignore[misc, valid-type]
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.settings = inspect.signature(plain).bind(*given, **named).arguments

    def train_one_step(*given: Any, **named: Any) -> Any:
        bound = inspect.signature(whole).bind(*given, **named)
        bound.apply_defaults()
        told = {key: value for key, value in bound.arguments.items() if key not in _NOT_HANDED_IN}
        noted.append({"model_config": dict(bound.arguments["model"].settings), "train_config": told})
        return whole(*given, **{**named, "n_iters": 1, "plot_freq": 0})

    names |= {"VAE": Noted, "train_VAE": train_one_step}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.copied", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", action="store_true", help="grade them and keep what they earn")
    options = parser.parse_args()
    table = kept()
    if options.keep:
        table = [{"settings": settings, "points": [], "said": []} for settings in (*trainings(), enough())]
        for salt in _SALTS:
            with Grader(NAME, salt=salt, quality_seconds=90) as grader:
                for one in table:
                    earned, said = points(grader, one["settings"])
                    one["points"].append(earned)
                    one["said"].append(said)
                    print(f"{salt}: {earned:g} for {one['settings']}: {said}", flush=True)
        TABLE.write_text("[\n" + ",\n".join(json.dumps(one) for one in table) + "\n]\n", encoding="utf-8")
    for settings in (*trainings(), enough()):
        told = {key: value for config in settings.values() for key, value in config.items() if key in _SHOWN}
        print(next((one["points"] for one in table if one["settings"] == settings), "not measured"), told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
