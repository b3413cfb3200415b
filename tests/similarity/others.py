"""The same classes through other tools: copydetect (PyPI) and Dolos (npm, `@dodona/dolos-lib`), where they are installed.

Both get a file a student, and to take out what this measure takes out: the skeleton, the given cells and the course's solution.
JPlag comes as a Java archive that no package registry used here carries, so it is not run.
"""

import csv
import io
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from grader.similarity.answers import Answers
from tests.mutants import solution_of
from utils.assignments import load_assignment

_K, _WINDOW = 25, 10  # copydetect's own defaults: noise threshold 25, guarantee 34
_DOLOS = """
import {Dolos} from '@dodona/dolos-lib';
import {readdirSync} from 'fs';
const [folder, given] = process.argv.slice(2);
const files = readdirSync(folder).map(name => `${folder}/${name}`);
const report = await new Dolos({language: 'python'}).analyzePaths(files, given);
for (const pair of report.allPairs())
  console.log(`${pair.leftFile.path},${pair.rightFile.path},${pair.similarity}`);
"""


def copydetect_scores(students: Sequence[Answers]) -> np.ndarray | None:
    """How alike copydetect finds every pair, shape (n, n); None where it is not installed."""
    try:
        from copydetect import CodeFingerprint, compare_files  # type: ignore[import-not-found]
    except ImportError:
        return None
    given = CodeFingerprint("given.py", _K, 1, fp=io.StringIO(_given(students[0].notebook)))
    prints = [
        CodeFingerprint(
            "answers.py", _K, _WINDOW, boilerplate=np.array(sorted(given.hashes)), fp=io.StringIO(_code(student))
        )
        for student in students
    ]
    scores = np.zeros((len(students), len(students)))
    for one, other in combinations(range(len(students)), 2):
        scores[one, other] = max(compare_files(prints[one], prints[other])[1])
    return scores


def dolos_scores(students: Sequence[Answers], modules: Path | None) -> np.ndarray | None:
    """How alike Dolos finds every pair, shape (n, n); None where it is not at hand.

    Args:
        students: The class.
        modules: A folder in which `npm install @dodona/dolos-lib` was run.
    """
    if modules is None or not (modules / "node_modules").is_dir() or not shutil.which("node"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers"
        answers.mkdir()
        for number, student in enumerate(students):
            (answers / f"{number}.py").write_text(_code(student), encoding="utf-8")
        (Path(folder) / "given.py").write_text(_given(students[0].notebook), encoding="utf-8")
        script = modules / "pairs.mjs"
        script.write_text(_DOLOS, encoding="utf-8")
        command = ["node", script, answers, Path(folder) / "given.py"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=modules, encoding="utf-8")
    scores = np.zeros((len(students), len(students)))
    for left, right, score in csv.reader(done.stdout.splitlines()):
        one, other = sorted((int(Path(left).stem), int(Path(right).stem)))
        scores[one, other] = float(score)
    return scores


def _code(student: Answers) -> str:
    return "\n\n".join(student.code.values()) or "pass\n"


def _given(notebook: str) -> str:
    assignment = load_assignment(notebook)
    skeletons = [task.untouched_source for task in assignment.tasks]
    return "\n\n".join([*assignment.prelude, *skeletons, *solution_of(notebook).values()])
