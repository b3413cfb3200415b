"""Sentences for students: what, where, got, expected, next step. Public facts only."""

from grader.records import ProbeRun, Reading, SandboxRun, StudentError
from utils.exercise.short_errors import is_open_gap
from utils.notebook.printable import printable

_KNOWN_ERRORS = {
    "NotImplementedError": "the gap is still open: it raises NotImplementedError. Replace that line with your answer.",
    "SystemExit": "the answer ends the program (exit); return a value instead.",
}


def about_task(task: str, cell: int) -> str:
    return f"{task} (cell {cell})"


def join(*parts: str) -> str:
    """Sentences one after another, each with its full stop."""
    return " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts if part)


def about_limit(result: ProbeRun) -> str:
    return {
        "timeout": f"it was stopped after {result.limit}",
        "memory": "it asked for more memory than a submission may have",
        "killed": "the process ended in the middle",
        "malformed": "it wrote to a channel that is not its own",
    }.get(result.status, "it was stopped")


def next_step(result: ProbeRun) -> str:
    """What to look for when a limit was hit."""
    return {
        "timeout": "Look for a loop that does not end.",
        "memory": "Look for a tensor much larger than its inputs.",
        "malformed": "An answer returns its value and writes nothing.",
    }.get(result.status, "An answer returns its value; it does not end the program.")


def about_error(result: ProbeRun, task: str, where: str, reading: Reading, run: SandboxRun) -> str:
    """An exception in the student's code, with the student's own line."""
    error = result.error
    assert error is not None
    if known := _known(error):
        return f"{where}: {known}"
    if result.status == "malformed":
        return f"{where}: {error.text}."
    if result.status == "memory":
        return f"{where}: {about_limit(result)}{own_line(error.lines, reading)}. {next_step(result)}"
    is_name_missing = error.type == "NameError" and not error.lines  # raised by the probe, not by the student's code
    cell = run.cells[reading.sources[task].cell] if is_name_missing else None
    if cell is not None and cell.error is not None:  # the name is missing because its cell stopped
        error = cell.error
        if known := _known(error):
            return f"{where}: {known}"
    text = f"{error.type}: {error.text}" if error.text else error.type
    line = own_line(error.lines, reading)
    hint = ""
    if error.type == "NameError":
        hint = f" {_unknown_name(error.text, reading)}"
    return f"{where}: it raised {text.rstrip('.')}{line}.{hint}"


def _known(error: StudentError) -> str:
    """What an error of one kind means; a NotImplementedError that is not a gap's, such as that of a missing `forward`, is
    told as it is."""
    is_other = error.type == "NotImplementedError" and not is_open_gap(error.text)
    return "" if is_other else _KNOWN_ERRORS.get(error.type, "")


def _unknown_name(text: str, reading: Reading) -> str:
    """Where a name that is not defined should come from."""
    for task in reading.assignment.tasks:
        if any(f"'{name}'" in text for name in task.defines):
            return f"That name is what {task.id} defines: its cell is missing, or did not run to its end."
    return "Only the AUTOGRADED cells are run: what they use must be defined in them or imported in the first cell."


def own_line(lines: tuple[tuple[int, int], ...], reading: Reading) -> str:
    """The innermost of the student's own lines, quoted from the notebook."""
    for cell, number in reversed(lines):
        source = next((s.source for s in reading.sources.values() if s.cell == cell), None)
        if source is not None and 1 <= number <= len(source.split("\n")):
            text = source.split("\n")[number - 1].strip()
            return f", in cell {cell}, line {number}: `{printable(text[:120])}`" if text else ""
    return ""


def hidden_sentence() -> str:
    """One sentence, whatever happened: which of several it was would be told by a process that knows the hidden inputs."""
    return (
        "right on the example, but on other inputs, drawn for your submission, it does not hold or does not come to its end. "
        "Does the answer use every argument, and work for every batch size and dimension?"
    )
