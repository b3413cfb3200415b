"""The last step of a notebook: see what is still open, pack the submission, print a receipt.

    python -m utils.submission check notebooks/01_kl_divergence.ipynb
    python -m utils.submission zip notebooks/01_kl_divergence.ipynb

The notebook is read by the same code as the grader's, so what is found here is what the grader will find. Nothing that
is found keeps the zip from being written: a student may always hand in what there is.
"""

import ast
import hashlib
import os
import re
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.assignments import UNANSWERED, Assignment, Question, assignment_names, load_assignment
from utils.assignments.gaps import count_gaps
from utils.cells import Cell, NotebookError, find_tasks, read_notebook
from utils.rules import forbidden_uses

RESPONSE = "**RESPONSE:**"
_QUESTION_LINE = re.compile(r"^\*\*`([\w.]+)`\*\*", re.MULTILINE)
_STALE_SECONDS = 120
_COLAB = (
    "On Colab the notebook is not a file beside this kernel: choose File > Download > Download .ipynb, upload that "
    "file with the Files panel on the left, and run this cell again."
)


@dataclass(frozen=True)
class Finding:
    """Something that costs points as it stands."""

    question: Question
    points: int
    text: str  # ends a sentence that begins with the question


@dataclass(frozen=True)
class Receipt:
    """What was packed."""

    path: Path
    size_bytes: int
    sha256: str
    time_utc: str


def check_notebook(data: bytes, assignment: Assignment) -> list[Finding]:
    """Find what would score zero, or waits for an answer.

    Args:
        data: The bytes of the notebook file.
        assignment: What the notebook asks.

    Returns:
        The findings in the order of the questions; empty when everything has an answer.

    Raises:
        NotebookError: If the bytes are not a notebook.
    """
    notebook = read_notebook(data)
    extraction = find_tasks(notebook, assignment)
    problems = dict(extraction.missing)
    for source in extraction.found:
        problems[source.task] = _describe_problem(source.source, source.is_untouched, source.syntax_error, assignment)
    findings = []
    for question in assignment.questions:
        findings += [Finding(question, task.points, problems[task.id]) for task in question.tasks if problems[task.id]]
        findings += _find_open_responses(question, notebook.cells)
    return findings


def hand_in(notebook: str, files: Sequence[str | Path] = ()) -> None:
    """Check the notebook in this folder, pack it, and print what is open and a receipt.

    Args:
        notebook: The notebook's name, e.g. "01_kl_divergence".
        files: Further files that belong to the submission, such as configurations or pictures.
    """
    assignment = load_assignment(notebook)
    path = _find_notebook(assignment)
    if path is None:
        place = (
            _COLAB
            if "google.colab" in sys.modules
            else "Save it, and start Jupyter so that it opens from its own folder."
        )
        print(f"No file of {notebook} is found in the folder of this kernel ({Path.cwd().name}). {place}")
        return
    if print_check(path, assignment):
        print_receipt(pack(path, assignment, files))


def print_check(path: Path, assignment: Assignment) -> bool:
    """Print what `check_notebook` finds in a file; False when the file cannot be read as a notebook."""
    try:
        findings = check_notebook(path.read_bytes(), assignment)
    except (NotebookError, OSError) as error:
        print(f"{path.name}: {error}")
        return False
    age = time.time() - path.stat().st_mtime
    print(f"{path.name}, saved {_describe_age(age)} ago")
    if age > _STALE_SECONDS:
        print("  What you wrote since then is not in the file: save the notebook and run this cell again.")
    for finding in findings:
        question = finding.question
        print(f"  {question.number} {question.id}, {finding.points} points: {finding.text}")
    if not findings:
        print("  Every graded cell and every response has an answer.")
    return True


def pack(path: Path, assignment: Assignment, files: Sequence[str | Path] = ()) -> Receipt:
    """Write the submission beside the notebook.

    Args:
        path: The notebook file.
        assignment: Gives the archive its name.
        files: Further files; one that is missing is named and left out.

    Returns:
        The receipt.
    """
    present = [Path(file) for file in files if Path(file).is_file()]
    for file in files:
        if not Path(file).is_file():
            print(f"  {file} is not there: run the cell that writes it. The submission goes without it.")
    target = path.parent / f"{assignment.notebook}_submission.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in [path, *present]:
            archive.write(source, source.name)
    data = target.read_bytes()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    return Receipt(target, len(data), hashlib.sha256(data).hexdigest(), stamp)


def print_receipt(receipt: Receipt) -> None:
    """Print what was packed; the hash is how the grader and the student can tell that they mean the same file."""
    print(f"Wrote {receipt.path.name}: {receipt.size_bytes / 1000:.0f} kB, {receipt.time_utc}")
    print(f"  SHA-256 {receipt.sha256}")
    print("  Hand in this file, and keep these lines: they are your receipt.")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the notebook could be read, 2 when not."""
    words = sys.argv[1:] if arguments is None else arguments
    if len(words) != 2 or words[0] not in ("check", "zip"):
        print(
            f"Usage: python -m utils.submission check|zip NOTEBOOK; got {' '.join(words) or 'nothing'}.",
            file=sys.stderr,
        )
        return 2
    path = Path(words[1])
    assignment = _recognise(path)
    if assignment is None:
        names = ", ".join(assignment_names())
        print(
            f"{path}: this is no notebook of the course ({names}); name the .ipynb file you worked in.", file=sys.stderr
        )
        return 2
    if not print_check(path, assignment):
        return 2
    if words[0] == "zip":
        print_receipt(pack(path, assignment))
    return 0


def _describe_problem(source: str, is_untouched: bool, syntax_error: str, assignment: Assignment) -> str:
    if syntax_error:
        return f"the cell does not parse ({syntax_error}); it scores zero until it does"
    if is_untouched:
        return "nothing is filled in yet"
    tree = ast.parse(source)
    if gaps := count_gaps(tree):
        return f"{gaps} gap{'s' if gaps > 1 else ''} still open"
    if uses := forbidden_uses(tree, assignment.imports, assignment.not_allowed):
        line, what = uses[0]
        return f"line {line} uses `{what}`, which is not allowed here; it scores zero"
    return ""


def _find_open_responses(question: Question, cells: Sequence[Cell]) -> Iterator[Finding]:
    manual = [part for part in question.parts if part.kind == "manual"]
    responses = _responses_below(question.id, cells)
    for index, part in enumerate(manual):
        which = f"response {index + 1} of {len(manual)}" if len(manual) > 1 else "the response"
        if index >= len(responses):
            yield Finding(question, part.points, f"{which} is missing; begin a text cell with {RESPONSE}")
        elif not _is_answered(responses[index]):
            yield Finding(question, part.points, f"{which} is empty")


def _responses_below(question: str, cells: Sequence[Cell]) -> list[str]:
    """The response cells between a question's heading and the next one's."""
    current, responses = "", []
    for cell in cells:
        if cell.kind == "code":
            continue
        if cell.source.lstrip().startswith(RESPONSE):
            responses += [cell.source.strip()] if current == question else []
        elif heading := _QUESTION_LINE.search(cell.source):
            current = heading[1]
    return responses


def _is_answered(response: str) -> bool:
    """Whether there is text beyond the first line's label and the placeholder."""
    text = response.removeprefix(RESPONSE)
    if UNANSWERED in text:
        text = text.partition("\n")[2].replace(UNANSWERED, "")
    return bool(text.strip())


def _find_notebook(assignment: Assignment) -> Path | None:
    """The file of the running notebook: the one Jupyter names, else the newest of this folder with this content."""
    named = Path(os.environ.get("JPY_SESSION_NAME", ""))
    if named.suffix == ".ipynb" and named.is_file() and _recognise(named) == assignment:
        return named
    candidates = [path for path in Path.cwd().glob("*.ipynb") if _recognise(path) == assignment]
    if len(candidates) > 1:
        print(
            f"Several files hold this notebook: {', '.join(sorted(p.name for p in candidates))}; the newest is taken."
        )
    return max(candidates, key=lambda path: path.stat().st_mtime, default=None)


def _recognise(path: Path) -> Assignment | None:
    """Which notebook of the course a file is, by the tasks in it, whatever its name."""
    try:
        notebook = read_notebook(path.read_bytes())
    except (NotebookError, OSError):
        return None
    shares = {
        name: len(find_tasks(notebook, load_assignment(name)).found) / max(1, len(load_assignment(name).tasks))
        for name in assignment_names()
    }
    best = max(shares, key=lambda name: shares[name])  # notebooks 2 and 3 share names: the fuller match is the notebook
    return load_assignment(best) if shares[best] > 0.5 else None


def _describe_age(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return "moments"


if __name__ == "__main__":
    sys.exit(main())
