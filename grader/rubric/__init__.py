"""The rubric: an assignment's questions joined to their checks and reference values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property

from grader.authoring.check import Arrays, Check, calls, load_checks, load_contracts, load_table
from grader.authoring.contract import Contract
from grader.records import Call
from grader.rubric import resume_key
from grader.rubric.references import References, load_references
from utils.assignments import Assignment, load_assignment
from utils.assignments.places import place_of


@dataclass(frozen=True)
class Rubric:
    """What one notebook is graded by."""

    assignment: Assignment
    checks: tuple[Check, ...]
    references: References
    may_call: dict[str, tuple[str, ...]] = field(default_factory=dict)  # task -> names of earlier answers it may call
    as_if: dict[str, Callable[[Arrays], Arrays]] = field(default_factory=dict)  # see `checks`
    literals: dict[str, dict[int, str]] = field(default_factory=dict)
    contracts: tuple[Contract, ...] = ()

    @cached_property
    def public(self) -> tuple[Call, ...]:
        """The calls with public inputs, the same for every submission."""
        cases: dict[str, list[Arrays]] = {}
        for name, inputs in self.references.inputs.items():
            cases.setdefault(name.split("#")[0], []).append(inputs)
        return tuple(call for one in self.checks for call in calls(one, cases.get(one.name, []), is_public=True))

    def contract_paid_by(self, check: str) -> Contract | None:
        """The contract whose breach costs a check its points."""
        return next((contract for contract in self.contracts if contract.pays == check), None)

    def checks_of(self, task: str) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.task == task)

    @cached_property
    def digest(self) -> str:
        """Changes when anything that can move a score does."""
        return resume_key.digest(place_of(self.assignment.notebook))


@cache
def load_rubric(name: str) -> Rubric:
    """Load and cross-check the rubric of a notebook.

    Args:
        name: The notebook's name, e.g. "07_flows".

    Returns:
        The rubric. The same object for the same name.

    Raises:
        ValueError: If the checks' points do not add up to their task's, or a task has no check.
        FileNotFoundError: If the reference values have not been made.
    """
    assignment, checks = load_assignment(name), load_checks(name)
    for task in assignment.tasks:
        points = sum(check.points for check in checks if check.task == task.id)
        if points != task.points:
            raise ValueError(f"{name}: the checks of {task.id} give {points} points, its tag says {task.points}")
    return Rubric(
        assignment,
        checks,
        load_references(name),
        may_call=load_table(name, "CALLS"),
        as_if=load_table(name, "AS_IF"),
        literals=load_table(name, "LITERALS"),
        contracts=load_contracts(name),
    )
