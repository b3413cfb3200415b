"""Everything that is worth knowing before a notebook is handed in."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.assignments import Assignment, Question, assignment_names
from utils.assignments.places import place_of
from utils.notebook.cell_code import parse
from utils.notebook.cells import Notebook, NotebookError, read_notebook
from utils.notebook.extraction import Extraction
from utils.notebook.recognition import recognise
from utils.submission import answers, execution, figures, session
from utils.submission.findings import Finding, is_hand_in
from utils.submission.trained import find_weights_warnings


@dataclass(frozen=True)
class Check:
    """What was found in one notebook."""

    assignment: Assignment
    findings: tuple[Finding, ...]  # cost points, in the order of the questions
    warnings: tuple[str, ...]  # cost nothing by themselves
    unsaved: str  # one sentence when the file is behind the kernel, so that all else is about an older text
    files: tuple[Path, ...]  # what goes into the zip beside the notebook

    @property
    def points_at_stake(self) -> int:
        return sum(finding.points for finding in self.findings)

    @property
    def graded_questions(self) -> list[Question]:
        return [question for question in self.assignment.questions if question.points]

    @property
    def open_questions(self) -> list[Question]:
        """Questions with points of which a part has no answer yet."""
        return [q for q in self.graded_questions if any(finding.question == q for finding in self.findings)]


def check_notebook(path: Path, runs: list[session.Run] | None = None, files: Sequence[str | Path] = ()) -> Check:
    """Check a notebook as it is saved.

    Args:
        path: The file.
        runs: What has run in the kernel this is called from; None if it is called from elsewhere.
        files: Names of further files, beside those that the notebook's own call of `hand_in` names.

    Returns:
        What was found.

    Raises:
        NotebookError: If the file is not a notebook, or none of the course; one sentence.
        OSError: If the file cannot be read.
    """
    saved, notebook = path.stat().st_mtime, read_notebook(path.read_bytes())
    recognised = recognise(notebook)
    if recognised is None:
        names = ", ".join(assignment_names())
        raise NotebookError(f"This is no notebook of the course ({names}): name the .ipynb file you worked in.")
    assignment, extraction = recognised
    unsaved = session.describe_unsaved(runs or [], notebook, saved)
    present, absent = _sort_files(path.parent, assignment, [*files, *_named_files(notebook)])
    return Check(
        assignment=assignment,
        findings=tuple(_find_problems(path.parent, notebook, assignment, extraction)),
        warnings=(
            *([] if unsaved else session.find_outdated(runs or [], assignment, extraction)),
            *execution.find_execution_warnings(notebook),
            *figures.find_missing_figures(notebook, assignment),
            *(f"{name} is not beside the notebook: run the cell that writes it." for name in absent),
            *find_weights_warnings(path.parent, assignment, extraction.found),
            *extraction.repairs,
            *answers.find_remarks(assignment, extraction),
        ),
        unsaved=unsaved,
        files=present,
    )


def _find_problems(folder: Path, notebook: Notebook, assignment: Assignment, extraction: Extraction) -> list[Finding]:
    findings = answers.find_problems(notebook, assignment, extraction)
    beside = assignment.about.hand_in
    if beside is None or any(f.question.id == beside.question for f in findings):
        return findings  # while its gap is open, what the files are to say is not chosen yet
    question = next(question for question in assignment.questions if question.id == beside.question)
    if problems := place_of(assignment.notebook).load(beside.check).find_problems(folder):
        findings.append(Finding(question, question.points, "; ".join(problems)))
    return sorted(findings, key=lambda finding: assignment.questions.index(finding.question))


def _named_files(notebook: Notebook) -> list[str]:
    """The files that the notebook's own call `hand_in(..., files=[...])` names."""
    trees = [parse(cell.source)[1] for cell in notebook.cells if cell.kind == "code" and is_hand_in(cell.source)]
    calls = [
        node for tree in trees if isinstance(tree, ast.Module) for node in ast.walk(tree) if isinstance(node, ast.Call)
    ]
    lists = [
        keyword.value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "hand_in"
        for keyword in call.keywords
        if keyword.arg == "files" and isinstance(keyword.value, ast.List | ast.Tuple)
    ]
    return [e.value for names in lists for e in names.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]


def _sort_files(
    folder: Path, assignment: Assignment, named: Sequence[str | Path]
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The files to pack, and the names of those that are not there; one file for each name."""
    beside = assignment.about.files_beside
    asked = [*beside, *named]
    paths = {Path(name).name: folder / name for name in reversed(asked)}
    present = tuple(path for _, path in sorted(paths.items()) if path.is_file())
    absent = tuple(name for name in sorted(paths) if not paths[name].is_file() and name not in beside)
    return present, absent
