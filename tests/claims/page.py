"""docs/claims.md, from what the measures left: rows in `rows.yaml`, sentences in `sentences.yaml`.

What was measured is kept in `measured.json`, so that a measure can be made again alone, without those that need a GPU.
"""

import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.claims.sentences import bases_of, claims_of

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "claims.md"
ROWS = Path(__file__).with_name("rows.yaml")
MEASURED = Path(__file__).with_name("measured.json")
NOTEBOOKS = {
    "kl_divergence": "Notebook 1", "airfoil_vae": "Notebook 2", "mnist_vae": "Notebook 3", "cifar_dcgan": "Notebook 4",
}  # fmt: skip
LEAST_SEEDS = 3

_INTRODUCTION = """\
# What the notebooks claim, and what shows it

*Written by `python -m tests.claims --page --out DIR` from the measures that `python -m tests.claims --out DIR` made, and for the others
from `tests/claims/measured.json`, which keeps the last of each.*

Each row is a claim about behaviour: the words of the notebook, the cell or test that shows it, and a figure as **mean (least to largest)**
over seeds. Seed 0 is the notebook's own; the others start its `set_seed` elsewhere. A row without a figure rests on a test alone, or on
what the machine does the same every time. A test (`tests/claims/test_sentences.py`) finds every sentence of the four sources that
gives a reason or allows no exception, by its words, and asks for its row, or for the reason why it is mathematics; they stand
below the rows.

"""


@dataclass(frozen=True)
class Row:
    """A claim, and what shows it."""

    id: str
    notebook: str
    claim: str
    shown: str
    figures: list[dict[str, str]] = field(default_factory=list)  # measure, key, what, form


Figures = dict[tuple[str, str], list[float]]  # by measure and key, one number a seed


def rows() -> list[Row]:
    """All rows, in the order of `rows.yaml`."""
    entries: list[dict[str, Any]] = yaml.safe_load(ROWS.read_text(encoding="utf-8"))
    return [Row(**entry) for entry in entries]


def measured(folder: Path | None = None) -> list[dict[str, Any]]:
    """What was measured last, one entry a measure and seed; a measure of the folder takes the place of all that is kept of it.

    Raises:
        ValueError: If one in the folder is a rehearsal.
    """
    kept = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.is_file() else []
    new = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))] if folder else []
    for entry in new:
        if entry["share"] != 1:
            raise ValueError(f"{entry['measure']} is a rehearsal (--share {entry['share']}); measure it again in full.")
        entry["figures"] = {key: float(f"{value:.9g}") for key, value in entry["figures"].items()}
    again = {entry["measure"] for entry in new}
    entries = [entry for entry in kept if entry["measure"] not in again] + new
    return sorted(entries, key=lambda entry: (entry["measure"], entry["seed"]))


def figures_of(entries: list[dict[str, Any]]) -> tuple[Figures, dict[str, str]]:
    """What the measures found, and on what each ran."""
    found: Figures = defaultdict(list)
    ran: dict[str, str] = {}
    for entry in entries:
        ran[entry["measure"]] = f"{entry['device']}, torch {entry['torch'].partition('+')[0]}"
        for key, value in entry["figures"].items():
            found[entry["measure"], key].append(value)
    return found, ran


def write(folder: Path) -> int:
    """Write docs/claims.md; a row whose figure has not been measured is named, and the page is left as it is."""
    entries = measured(folder)
    found, ran = figures_of(entries)
    missing = sorted({f"{figure['measure']}: {figure['key']}" for row in rows() for figure in row.figures
                      if (figure["measure"], figure["key"]) not in found})  # fmt: skip
    if missing:
        print("not measured, or under another name:", *missing, sep="\n  ", file=sys.stderr)
        return 1
    parts = [_INTRODUCTION, _machines(ran)]
    for notebook, title in NOTEBOOKS.items():
        parts.append(f"## {title}\n\n| row | claim | shown by | figure |\n|---|---|---|---|\n")
        parts += [line(row, found) for row in rows() if row.notebook == notebook]
        parts.append(
            f"\n### {title}: sentences with a reason or without exception\n\n| sentence | rests on |\n|---|---|\n"
        )
        parts += _sentences(notebook)
        parts.append("\n")
    PAGE.write_text("".join(parts).rstrip("\n") + "\n", encoding="utf-8")
    MEASURED.write_text("[\n" + ",\n".join(map(json.dumps, entries)) + "\n]\n", encoding="utf-8")
    return 0


def told(figure: dict[str, str], found: Figures) -> str:
    """One figure with its spread."""
    values = found[figure["measure"], figure["key"]]
    form = figure.get("form", ".3g")
    mean, least, most = (format(value, form) for value in (sum(values) / len(values), min(values), max(values)))
    spread = f" ({least} to {most}; {len(values)} seeds)" if len(values) > 1 else ""
    return f"{figure['what']} **{mean}**{spread}"


def line(row: Row, found: Figures) -> str:
    """A row as the page has it."""
    figures = "<br>".join(told(figure, found) for figure in row.figures)
    return f"| {row.id} | {row.claim} | {row.shown} | {figures} |\n"


def _machines(ran: dict[str, str]) -> str:
    by_machine: dict[str, list[str]] = defaultdict(list)
    for measure, machine in sorted(ran.items()):
        by_machine[machine].append(f"`{measure}`")
    return "".join(f"- {machine}: {', '.join(names)}\n" for machine, names in by_machine.items()) + "\n"


def _sentences(notebook: str) -> list[str]:
    bases = bases_of(notebook)
    lines = []
    for sentence in claims_of(notebook):
        basis = next((basis for basis in bases if basis.says in sentence), None)
        reason = "**nothing yet**" if basis is None else basis.row or f"mathematics: {basis.mathematics}"
        lines.append(f"| {sentence.replace('|', chr(92) + '|')} | {reason} |\n")
    return lines
