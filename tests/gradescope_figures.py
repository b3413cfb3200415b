"""Grading on Gradescope, measured: submissions of every notebook at half a CPU, with their time and memory.

    python -m tests.gradescope_figures [--cores 0.5] [NAME ...]

Each notebook's bundle is built, laid out and run as the platform does (tests/autograder.py). The platform allows
ten minutes and 768 MB. `make test` runs some of these cases of notebook 1, without the limit on the CPU. Needs root and
control groups of version 1.
"""

import argparse
import ast
import json
import os
import subprocess
import sys
import tempfile
from base64 import b64encode
from pathlib import Path

from grader.stages.pipeline import graded_assignments
from tests.arena import HELPERS, load_attacks
from tests.places import PROJECT, why_not
from tests.support import answers
from tools.examples import zipped
from tools.gradescope_bundle import build
from utils.assignments import load_assignment
from utils.notebook.cells import read_notebook
from utils.notebook.extraction import find_tasks

SECRET = "a secret of the course"
ARENA = {
    "secret": "/tmp/autograder/source/bundle.json", "victim": "/tmp/autograder/results/results.json", "outside": "/tmp/autograder/results",
    "project": "/tmp/autograder/source", "grader": 1, "zygote": 1, "port": 9, "socket": "/tmp/none",
}  # fmt: skip
CONFIGS = {  # the published run of notebook 2
    "model_config.yaml": b"{input_size: 200, hidden_dims: [512, 256, 128], latent_size: 10}",
    "train_config.yaml": b"{beta: 0.00043, optimizer_config: {lr: 0.001}, lr_scheduler_name: StepLR, "
    b"lr_scheduler_config: {step_size: 200, gamma: 0.7}, n_iters: 5000}",
}
WRONG = {
    "01_kl_divergence": (
        "kl.elbo",
        "def elbo(x, params_q, num_samples, func_decoder, log_sig_x):\n    return x.sum(-1)\n",
    ),
    "02_airfoil_vae": ("air.encoder", "class Encoder(nn.Module):\n    pass\n"),
    "03_mnist_vae": ("fc.loss", "def loss_function(x_hat, x, mu, logvar):\n    return mu.sum()\n"),
    "04_cifar_dcgan": ("gan.spectral", "class SpectralDiscriminator(Discriminator):\n    pass\n"),
}
ATTACKS = ("memory_in_steps", "endless_loop", "fork_bomb", "sleep_in_cell")


def case(notebook: str, replaced: dict[str, str] | None = None) -> dict[str, bytes]:
    """The zip of a student, with some answers replaced."""
    files = {"hw.ipynb": answers(notebook, replaced)}
    return {"hand_in.zip": zipped(files | (CONFIGS if notebook == "02_airfoil_vae" else {})), "report.pdf": b"%PDF"}


def hanging(notebook: str) -> dict[str, bytes]:
    """A submission whose every function and method never returns."""
    found = find_tasks(read_notebook(answers(notebook)), load_assignment(notebook)).found
    return case(notebook, {source.task: _with_endless_loops(source.source) for source in found})


def _with_endless_loops(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body[:0] = ast.parse("while True:\n    pass").body
    return ast.unparse(tree)


def attack(name: str, replaced: dict[str, str] | None = None) -> dict[str, bytes]:
    """A submission of notebook 1 with an attack in the place of one answer."""
    found = next(attack for attack in load_attacks() if attack.name == name)
    source = HELPERS.format(arena=ARENA) + found.source
    return case("01_kl_divergence", {found.task: source, **(replaced or {})})


def run_cases(notebook: str, cases: dict[str, dict[str, bytes]], cores: float = 0.0) -> dict[str, dict]:
    """Grade submissions, one after another, with a new bundle.

    Args:
        notebook: Whose bundle.
        cases: Name to the submission's files; one called BREAK names a module of ours to break.
        cores: The share of a core that all of it gets; 0 for no limit.

    Returns:
        Name to what came of it; see `tests.autograder`.
    """
    with tempfile.TemporaryDirectory() as folder:
        bundle, described = Path(folder, "bundle.zip"), Path(folder, "cases.json")
        build(notebook, bundle, SECRET)
        described.write_text(
            json.dumps(
                {name: {f: b64encode(data).decode() for f, data in files.items()} for name, files in cases.items()}
            ),
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "tests.autograder", str(bundle), str(described), "--cores", str(cores)]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        done = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=3600, encoding="utf-8"
        )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return json.loads(done.stdout)


def all_cases(notebook: str) -> dict[str, dict[str, bytes]]:
    """What is measured for one notebook."""
    task, source = WRONG[notebook]
    cases = {"right": case(notebook), "wrong": case(notebook, {task: source}), "all hang": hanging(notebook)}
    if notebook == "02_airfoil_vae":
        asleep = "def train_VAE(*arguments, **settings):\n    torch.sys.modules['time'].sleep(1e6)\n"
        cases["training sleeps"] = case(notebook, {"air.train": asleep})
    if notebook != "01_kl_divergence":
        return cases
    damaged = {"hw.ipynb": answers(notebook)[:5000]}
    return cases | {"damaged": damaged, "empty": {}, "our fault": {"BREAK": b"stages/compare.py", **case(notebook)}} | {
        name: attack(name) for name in ATTACKS
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description="Time and memory of grading on Gradescope.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="notebooks (default: all)")
    parser.add_argument("--cores", type=float, default=0.5, help="the share of a core (default: 0.5)")
    options = parser.parse_args()
    if reason := why_not("B"):
        print(f"Nothing is measured: {reason}.", file=sys.stderr)
        return 1
    print(f"{'notebook':18}{'submission':17}{'score':>6}{'wall s':>8}{'CPU s':>8}{'MiB':>6}  of 600 s and 768 MiB")
    for notebook in options.names or graded_assignments():
        for name, outcome in run_cases(notebook, all_cases(notebook), options.cores).items():
            print(
                f"{notebook:18}{name:17}{outcome['results']['score']:6.1f}{outcome['wall_seconds']:8.1f}"
                f"{outcome['cpu_seconds']:8.1f}{outcome['peak_mib']:6.0f}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
