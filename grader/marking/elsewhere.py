"""Whether a check belongs to another notebook of the course: one table of a person's may serve several."""

from collections.abc import Iterable

from utils.assignments import all_assignments


def is_asked_elsewhere(check: str, here: Iterable[str]) -> bool:
    """Whether another notebook than these asks what the check is about."""
    notebooks = set(here)
    others = [one for one in all_assignments() if one.notebook not in notebooks]
    return any(check.startswith(f"{question.id}.") for one in others for question in one.questions)
