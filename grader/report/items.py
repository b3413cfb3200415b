"""Item analysis: how difficult each question was, how well it tells students apart, and what went wrong in it most."""

import statistics
from collections import Counter
from dataclasses import dataclass
from typing import Any

from grader.report.statistics import Results, what_went_wrong

FEWEST = 10  # students for a correlation that says something


@dataclass(frozen=True)
class QuestionNumbers:
    """One question over the class."""

    notebook: str
    task: str
    number: str  # "1.3"
    points: float
    students: int
    mean: float  # share of the points, 0 to 1: its difficulty, as the literature calls it
    discrimination: (
        float | None
    )  # correlation of its points with those of all other questions; None where it says nothing
    trouble: tuple[tuple[str, int], ...]  # slips, or statuses, the commonest first
    example: str  # the sentence that went with the commonest


def question_numbers(graded: list[Results]) -> list[QuestionNumbers]:
    """Every question that has points so far, in the order of the notebooks.

    Args:
        graded: Results with a score.

    Returns:
        A record a question. A question counts for those who have a score in it.
    """
    earned: dict[tuple[str, str], list[tuple[float, float, float]]] = {}  # points, of, and of all other questions
    tests: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for results in graded:
        notebook, own = results["extra_data"]["notebook"], _by_task(results)
        total = sum(points for points, _ in own.values())
        for task, (points, maximum) in own.items():
            earned.setdefault((notebook, task), []).append((points, maximum, total - points))
        for test in results["tests"]:
            if "score" in test:
                tests.setdefault((notebook, test["extra_data"]["task"]), []).append(test)
    found = [_numbers(*key, earned[key], tests[key]) for key in earned]
    return sorted(found, key=lambda q: (q.notebook, [int(n) for n in q.number.split(".") if n.isdigit()]))


def _by_task(results: Results) -> dict[str, tuple[float, float]]:
    own: dict[str, tuple[float, float]] = {}
    for test in results["tests"]:
        if "score" in test:
            points, maximum = own.get(test["extra_data"]["task"], (0.0, 0.0))
            own[test["extra_data"]["task"]] = points + test["score"], maximum + test["max_score"]
    return own


def _numbers(
    notebook: str, task: str, earned: list[tuple[float, float, float]], tests: list[dict[str, Any]]
) -> QuestionNumbers:
    shares = [points / maximum if maximum else 0.0 for points, maximum, _ in earned]
    failed = [test for test in tests if test["extra_data"]["status"] != "passed"]
    trouble = Counter(what_went_wrong(test) for test in failed).most_common()
    example = next((test["output"] for test in failed if what_went_wrong(test) == trouble[0][0]), "")
    return QuestionNumbers(
        notebook=notebook,
        task=task,
        number=".".join(tests[0]["number"].split(".")[:2]),
        points=max(maximum for _, maximum, _ in earned),
        students=len(earned),
        mean=statistics.fmean(shares),
        discrimination=_correlation(shares, [rest for _, _, rest in earned]),
        trouble=tuple(trouble),
        example=example,
    )


def _correlation(shares: list[float], rests: list[float]) -> float | None:
    if len(shares) < FEWEST or len(set(shares)) < 2 or len(set(rests)) < 2:
        return None
    return statistics.correlation(shares, rests)
