"""Rebuild the reference values: `python -m tools.references [NAME ...]`, or `make references` for all.

The solutions run in the grader's own sandbox, on the public inputs; so do the usual slips. No two processors round alike:
what differs from the stored values by rounding alone is left as it is stored, and where nothing else differs no file is
written.
"""

import argparse
import platform
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from grader.authoring.check import Arrays, Check, calls, has_checks, load_checks, public_inputs
from grader.authoring.judges import excess, tolerance
from grader.authoring.mistakes import replacement_fault, require_sound
from grader.authoring.slips import Variant, load_slips
from grader.records import Call, CellSource, ProbeRun, SandboxRun
from grader.rubric.draws import job_of
from grader.rubric.references import (
    References,
    Slip,
    has_references,
    library_versions,
    load_references,
    save_references,
)  # fmt: skip
from grader.sandbox.box import Box
from grader.sandbox.script import merge_cells
from grader.sandbox.watch import SandboxError
from tools.notebooks import solved_notebook
from utils.assignments import Assignment, assignment_names, load_assignment
from utils.assignments.course import add_course_option, enter_course
from utils.assignments.places import CourseError, place_of, shown
from utils.notebook.cells import read_notebook
from utils.notebook.extraction import find_tasks


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 1 with a sentence for each mistake in the assignments' files."""
    arguments = enter_course(arguments)
    parser = argparse.ArgumentParser(description="Rebuild the grader's reference values.")
    parser.add_argument("names", nargs="*", help="notebooks; default: all that have checks")
    add_course_option(parser)
    try:
        names = parser.parse_args(arguments).names or [n for n in assignment_names() if has_checks(n)]
        for name in names:
            require_sound(name)
        with Box(names) as box:
            for name in names:
                print(f"{name}: {rebuild(name, box)}")
    except (ValueError, SandboxError) as error:
        print(str(error).removeprefix("the sandbox did not start: "), file=sys.stderr)
        return 1
    return 0


def rebuild(name: str, box: Box) -> str:
    """Build the values of one assignment, write them where they are not those stored, and say which it was."""
    built = build(name, box)
    size = f"{len(built.outputs)} public calls, {len(built.slips)} slips"
    if not has_references(name):
        return _saved(built, f"{size}, all new")
    stored = load_references(name)
    settled, changed = settle(built, stored, {check.name: tolerance(check) for check in load_checks(name)})
    told = (built.solution, [(slip.task, slip.name, slip.sentence) for slip in built.slips], built.versions)
    if not changed and told == (
        stored.solution, [(slip.task, slip.name, slip.sentence) for slip in stored.slips], stored.versions,
    ):  # fmt: skip
        return f"{size}, nothing differs but rounding; the files are left as they are"
    calls_of = Counter(change.split(" ")[-1].split("#")[0] for change in changed)
    anew = ", ".join(f"{check} ({count} calls)" for check, count in calls_of.items())
    return _saved(settled, f"{size}, new: {anew or 'text or versions alone'}")


def _saved(references: References, said: str) -> str:
    save_references(references, command=f"python -m tools.references {references.assignment}")
    return said


# A machine's own rounding may take up this much of what a check allows; a right answer has the rest.
ROUNDING = 1 / 3
_INPUTS = 1e-5, 1e-6  # of inputs that torch has drawn, relative and absolute


def settle(
    built: References, stored: References, allowed: dict[str, tuple[float, float]]
) -> tuple[References, list[str]]:
    """What is stored where the difference is rounding, what was built elsewhere.

    Args:
        built: The values just made.
        stored: Those of the files.
        allowed: By check: its tolerance, relative and absolute.

    Returns:
        References that hold both, and the names of the calls, with the slip's where it is one's, that were made anew.
    """
    changed: list[str] = []

    def kept(new: dict[str, Arrays], old: dict[str, Arrays], of: str = "", is_input: bool = False) -> dict[str, Arrays]:
        chosen = {}
        for call, values in new.items():
            within = _INPUTS if is_input else allowed[call.split("#")[0]]
            is_same = call in old and excess(values, old[call], *within) <= ROUNDING
            chosen[call] = old[call] if is_same else values
            changed.extend([] if is_same else [f"{of}{call}"])
        changed.extend(f"{of}{call}" for call in old.keys() - new.keys())
        return chosen

    inputs = kept(built.inputs, stored.inputs, "the inputs of ", is_input=True)
    outputs = kept(built.outputs, stored.outputs)
    before = {(slip.task, slip.name): slip.outputs for slip in stored.slips}
    slips = tuple(
        replace(slip, outputs=kept(slip.outputs, before.get((slip.task, slip.name), {}), f"{slip.name} in "))
        for slip in built.slips
    )
    return replace(built, inputs=inputs, outputs=outputs, slips=slips), changed


def build(name: str, box: Box, slips: tuple[Variant, ...] | None = None) -> References:
    """Run the solution and the slips of one assignment.

    Args:
        name: The assignment's.
        box: A sandbox that has its probes.
        slips: Which slips; default all.

    Raises:
        ValueError: If the solution itself does not answer every call.
    """
    assignment, checks = load_assignment(name), load_checks(name)
    cells = solution_cells(assignment)
    public = [call for check in checks for call in calls(check, public_inputs(check), is_public=True)]
    compared = {call.name for call in public if _check_of(call, checks).uses_reference}
    run = box.run(job_of(assignment, cells, tuple(public)))
    failed = [f"{call} {_why(result)}" for call, result in run.runs.items() if result.status != "ran"]
    if failed:
        path = place_of(name).path / "notebook.py"
        raise CourseError(
            f"{shown(path)}, line {_line_of(path, public, run)}: the solution does not answer: {'; '.join(failed)}."
        )
    return References(
        assignment=name,
        versions={"python": platform.python_version(), **library_versions(assignment)},
        solution=cells,
        inputs={call.name: call.inputs for call in public},
        outputs={call: result.values for call, result in run.runs.items() if call in compared},
        slips=tuple(
            _slip(variant, assignment, cells, [call for call in public if call.name in compared], box)
            for variant in (load_slips(name) if slips is None else slips)
        ),
    )


def _why(result: ProbeRun) -> str:
    said = f": {result.error.type}: {result.error.text}" if result.error else ""
    return f"{result.status}{said}"


def _line_of(path: Path, asked: list[Call], run: SandboxRun) -> int:
    """Where the first answer that fails begins."""
    task = next(call.task for call in asked if run.runs[call.name].status != "ran")
    lines = path.read_text(encoding="utf-8").split("\n")
    tags = [
        n
        for n, line in enumerate(lines, 1)
        if line.startswith("# AUTOGRADED") and line.endswith(f" {task.split('.')[-1]}")
    ]
    return tags[0] if tags else 1


def _check_of(call: Call, checks: tuple[Check, ...]) -> Check:
    return next(check for check in checks if check.name == call.name.split("#")[0])


def _slip(
    variant: Variant, assignment: Assignment, cells: tuple[CellSource, ...], public: list[Call], box: Box
) -> Slip:
    own = [call for call in public if call.task == variant.task]
    for cell in cells:
        if variant.task in cell.tasks and (
            fault := replacement_fault(place_of(assignment.notebook), variant, cell.source)
        ):
            raise CourseError(fault)
    run: SandboxRun = box.run(job_of(assignment, replace_cell(cells, variant), tuple(own)))
    answered = {call: result.values for call, result in run.runs.items() if result.status == "ran"}
    return Slip(variant.task, variant.name, variant.sentence, answered)


def solution_cells(assignment: Assignment) -> tuple[CellSource, ...]:
    """The autograded cells of the solved notebook."""
    import nbformat

    notebook = read_notebook(nbformat.writes(solved_notebook(assignment.notebook)).encode())
    return merge_cells(find_tasks(notebook, assignment).found)


def replace_cell(cells: tuple[CellSource, ...], variant: Variant) -> tuple[CellSource, ...]:
    """The solution with one task's cell answered another way.

    Raises:
        ValueError: If there is no such task.
    """
    if not any(variant.task in cell.tasks for cell in cells):
        raise ValueError(f"{variant.name}: there is no task {variant.task}")
    return tuple(
        replace(cell, source=variant.cell(cell.source)) if variant.task in cell.tasks else cell for cell in cells
    )


if __name__ == "__main__":
    sys.exit(main())
