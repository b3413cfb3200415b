"""The explained survivors: mutants that get full marks and are no wrong answers, `survivors.yaml` of an assignment.

    - task: kl.exact
      was: return kl_divergence(mu_q, log_sigma_q, mu_p, log_sigma_p).sum(-1)
      becomes: return kl_divergence(mu_q, log_sigma_q, mu_p, log_sigma_p).sum(1)
      because: The tensor has two dimensions, so the last one is number 1.

`was`, `becomes` and, where the same lines change at several places of a cell, `nth` name a mutant of `tests.mutator`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from tests.mutator import Mutant
from utils.assignments.places import place_of

_MIN_WORDS = 4


@dataclass(frozen=True)
class Explanation:
    """Why a mutant may survive. The fields above `because` name the mutant."""

    task: str
    was: str
    becomes: str
    nth: int
    because: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.task, self.was, self.becomes, self.nth


def explanations(name: str) -> list[Explanation]:
    """The explained survivors of a notebook; none if it has no file.

    Raises:
        ValueError: If an entry lacks its sentence, or two explain the same mutant.
    """
    path = place_of(name).path / "survivors.yaml"
    return parse_explanations(path.read_text(encoding="utf-8")) if path.exists() else []


def parse_explanations(text: str) -> list[Explanation]:
    """Read a file of explanations; see `explanations`."""
    found: dict[tuple, Explanation] = {}
    for fields in yaml.safe_load(text) or []:
        one = Explanation(
            fields["task"],
            fields["was"],
            fields.get("becomes") or "",
            fields.get("nth", 1),
            fields.get("because") or "",
        )
        if len(one.because.split()) < _MIN_WORDS:
            raise ValueError(f"{one.task}: `{one.was}` -> `{one.becomes}` needs a sentence in `because`")
        if one.key in found:
            raise ValueError(f"{one.task}: `{one.was}` -> `{one.becomes}` is explained twice")
        found[one.key] = one
    return list(found.values())


def left_open(name: str, survivors: Iterable[Mutant], tasks: Iterable[str]) -> tuple[list[Mutant], list[Explanation]]:
    """What is still to do after a run.

    Args:
        name: The notebook.
        survivors: Of the run.
        tasks: Those whose mutants were graded, all of them.

    Returns:
        Survivors without an explanation, and explanations without a survivor.
    """
    tried, surviving = set(tasks), {mutant.key: mutant for mutant in survivors}
    explained = {one.key: one for one in explanations(name)}
    unexplained = [mutant for key, mutant in surviving.items() if key not in explained]
    return unexplained, [one for key, one in explained.items() if one.task in tried and key not in surviving]


def entry(mutant: Mutant) -> str:
    """A survivor as it stands in the file, the sentence still to be written."""
    fields = {"task": mutant.task, "was": mutant.was, "becomes": mutant.becomes}
    fields |= {"nth": mutant.nth} if mutant.nth > 1 else {}
    return yaml.safe_dump([{**fields, "because": ""}], sort_keys=False, allow_unicode=True, width=10_000)
