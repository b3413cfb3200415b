"""Rebuild the reference values: `python -m tools.references [NAME ...]`, or `make references` for all.

The solutions run in the grader's own sandbox, on the public inputs; so do the usual slips. The same machine and
versions give the same bytes.
"""

import argparse
import platform
from dataclasses import replace
from importlib.metadata import version

from grader.authoring.check import Check, calls, has_checks, load_checks, public_inputs
from grader.authoring.slips import Variant, load_slips
from grader.records import Call, CellSource, SandboxRun
from grader.rubric.draws import job_of
from grader.rubric.references import References, Slip, save_references
from grader.sandbox.box import Box
from grader.sandbox.script import merge_cells
from tools.notebooks import solved_notebook
from utils.assignments import Assignment, assignment_names, load_assignment
from utils.notebook.cells import read_notebook
from utils.notebook.extraction import find_tasks


def main() -> None:
    parser = argparse.ArgumentParser(description="Rebuild the grader's reference values.")
    parser.add_argument("names", nargs="*", help="notebooks; default: all that have checks")
    names = parser.parse_args().names or [n for n in assignment_names() if has_checks(n)]
    with Box(names) as box:
        for name in names:
            references = build(name, box)
            save_references(references, command=f"python -m tools.references {name}")
            print(f"{name}: {len(references.outputs)} public calls, {len(references.slips)} slips")


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
    failed = [f"{call}: {result.status} {result.error}" for call, result in run.runs.items() if result.status != "ran"]
    if failed:
        raise ValueError(f"the solution of {name} does not answer: {'; '.join(failed)}")
    return References(
        assignment=name,
        versions={"python": platform.python_version(), "torch": version("torch"), "numpy": version("numpy")},
        solution=cells,
        inputs={call.name: call.inputs for call in public},
        outputs={call: result.values for call, result in run.runs.items() if call in compared},
        slips=tuple(
            _slip(variant, assignment, cells, [call for call in public if call.name in compared], box)
            for variant in (load_slips(name) if slips is None else slips)
        ),
        digest="",
    )


def _check_of(call: Call, checks: tuple[Check, ...]) -> Check:
    return next(check for check in checks if check.name == call.name.split("#")[0])


def _slip(
    variant: Variant, assignment: Assignment, cells: tuple[CellSource, ...], public: list[Call], box: Box
) -> Slip:
    own = [call for call in public if call.task == variant.task]
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
    main()
