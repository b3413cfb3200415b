"""What a PDF costs: each notebook as a PDF against the same notebook as HTML, nbconvert's cheapest page, and a class's in one process.

python -m tools.bench pdf
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from grader.authoring.measurement import Measurement, ratios
from tools.bench.timing import import_torch, seconds_of

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def measure(rounds: int = 3) -> list[Measurement]:
    """Convert every notebook, each time in a process of its own, and then a class's in one.

    Returns:
        Wall seconds of a notebook's PDF, the mean over the notebooks, and that against HTML and against `import torch`; against it the
        course's own command, with one notebook and with many.
    """
    pdf, html, torch_wall, alone, together = [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            pdf.append(_mean_seconds("typstpdf", folder))
            html.append(_mean_seconds("html", folder))
            torch_wall.append(seconds_of(import_torch)[0])
            alone.append(statistics.mean(_export_seconds([notebook], f"{folder}/alone.pdf") for notebook in NOTEBOOKS))
            class_ = _class(Path(folder))
            together.append(_export_seconds(class_, f"{folder}/pdfs") / len(class_))
    return [
        Measurement("a notebook as a PDF", tuple(pdf), "wall s"),
        ratios("the same against nbconvert's HTML", pdf, html),
        ratios("the same against a process that imports torch", pdf, torch_wall),
        ratios("by `python -m utils.export`, which loads less, against that", alone, pdf),
        ratios(f"one of {_CLASS * len(NOTEBOOKS)} that are given to it together, against that", together, pdf),
    ]


_CLASS = 5  # hand-ins of each notebook


def _class(folder: Path) -> list[Path]:
    made = [folder / f"{number}-{notebook.name}" for number in range(_CLASS) for notebook in NOTEBOOKS]
    for path in made:
        path.write_bytes((NOTEBOOKS[0].parent / path.name.partition("-")[2]).read_bytes())
    return made


def _export_seconds(notebooks: list[Path], out: str) -> float:
    command = [sys.executable, "-m", "utils.export", *map(str, notebooks), "--out", out]
    return seconds_of(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))[0]


def _mean_seconds(kind: str, folder: str) -> float:
    command = [sys.executable, "-m", "nbconvert", "--to", kind, "--output-dir", folder, "--log-level", "ERROR"]
    runs = [[*command, str(notebook)] for notebook in NOTEBOOKS]
    return statistics.mean(seconds_of(lambda run=run: subprocess.run(run, check=True))[0] for run in runs)  # type: ignore[misc]
