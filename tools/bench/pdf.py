"""What a PDF costs: each notebook as a PDF against the same notebook as HTML, nbconvert's cheapest page.

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
    """Convert every notebook, each time in a process of its own.

    Returns:
        Wall seconds of a notebook's PDF, the mean over the notebooks, and that against HTML and against `import torch`.
    """
    pdf, html, torch_wall = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            pdf.append(_mean_seconds("typstpdf", folder))
            html.append(_mean_seconds("html", folder))
            torch_wall.append(seconds_of(import_torch)[0])
    return [
        Measurement("a notebook as a PDF", tuple(pdf), "wall s"),
        ratios("the same against nbconvert's HTML", pdf, html),
        ratios("the same against a process that imports torch", pdf, torch_wall),
    ]


def _mean_seconds(kind: str, folder: str) -> float:
    command = [sys.executable, "-m", "nbconvert", "--to", kind, "--output-dir", folder, "--log-level", "ERROR"]
    runs = [[*command, str(notebook)] for notebook in NOTEBOOKS]
    return statistics.mean(seconds_of(lambda run=run: subprocess.run(run, check=True))[0] for run in runs)  # type: ignore[misc]
