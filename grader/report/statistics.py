"""A class in numbers, from the contents of its `results.json` files alone."""

import statistics
from collections import Counter
from dataclasses import dataclass
from typing import Any

Results = dict[str, Any]
BINS = 10


@dataclass(frozen=True)
class CheckNumbers:
    """How one check went over the class."""

    notebook: str
    check: str
    title: str
    number: str
    passed: int
    total: int
    trouble: tuple[tuple[str, int], ...]  # what went wrong, the commonest first: a slip's name or a status
    example: str  # the sentence that went with the commonest

    @property
    def rate(self) -> float:
        return self.passed / self.total if self.total else 0.0


def is_graded(results: Results) -> bool:
    """Whether a submission has a score that means something: not rejected, not our fault."""
    return "score" in results and not results["extra_data"]["rejection"]


def has_score(results: Results) -> bool:
    """Whether a score goes back to the student: graded, or turned away at intake and given points by a person."""
    return "score" in results and (is_graded(results) or bool(results["extra_data"].get("adjustments")))


def automatic_points(results: Results) -> float:
    """The largest score the automatic checks can give."""
    return sum(test.get("max_score", 0) for test in results["tests"])


def share(results: Results) -> float:
    """The score as a share of the automatic points, 0 to 1."""
    maximum = automatic_points(results)
    return results["score"] / maximum if maximum else 0.0


def distribution(graded: list[Results]) -> list[int]:
    """How many submissions lie in each tenth of the automatic points, the lowest first; full marks are in the last."""
    bins = [0] * BINS
    for results in graded:
        bins[min(BINS - 1, int(share(results) * BINS + 1e-9))] += 1
    return bins


def middle(graded: list[Results]) -> tuple[float, float]:
    """Median and mean share of the automatic points, 0 to 1; zeros for an empty class."""
    shares = [share(results) for results in graded] or [0.0]
    return statistics.median(shares), statistics.fmean(shares)


def check_numbers(graded: list[Results]) -> list[CheckNumbers]:
    """Every automatic check, in the order of the notebooks' questions."""
    tests: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for results in graded:
        for test in results["tests"]:
            if "max_score" in test:
                tests.setdefault((results["extra_data"]["notebook"], test["extra_data"]["check"]), []).append(test)
    return [
        _numbers(notebook, check, own)
        for (notebook, check), own in sorted(tests.items(), key=lambda item: _order(item[0][0], item[1][0]))
    ]


def _order(notebook: str, test: dict[str, Any]) -> tuple[str, list[int]]:
    return notebook, [int(n) for n in test["number"].split(".") if n.isdigit()]


def _numbers(notebook: str, check: str, tests: list[dict[str, Any]]) -> CheckNumbers:
    failed = [test for test in tests if test["extra_data"]["status"] != "passed"]
    trouble = Counter(what_went_wrong(test) for test in failed).most_common()
    example = next((test["output"] for test in failed if what_went_wrong(test) == trouble[0][0]), "")
    first = tests[0]
    title = first["name"].partition(": ")[2]
    return CheckNumbers(
        notebook=notebook,
        check=check,
        title=title,
        number=first["number"],
        passed=len(tests) - len(failed),
        total=len(tests),
        trouble=tuple(trouble),
        example=example,
    )


def what_went_wrong(test: dict[str, Any]) -> str:
    """A slip's name, or a status."""
    return test["extra_data"]["slip"] or test["extra_data"]["status"]


def waiting(graded: list[Results]) -> list[dict[str, Any]]:
    """What a person has to read, by question: the students, their answers and pictures as far as they were kept."""
    questions: dict[tuple[str, str], dict[str, Any]] = {}
    for results in graded:
        extra = results["extra_data"]
        for test in results["tests"]:
            facts = test["extra_data"]
            if facts["status"] != "manual":
                continue
            question = questions.setdefault(
                (extra["notebook"], facts["check"]),
                {
                    "check": facts["check"],
                    "title": test["name"].partition(": ")[2],
                    "number": test["number"],
                    "points": facts["points"],
                    "answers": [],
                },
            )
            written = next(
                (w for w in extra.get("written", []) if w["check"] == facts["check"]), {"text": "", "pictures": []}
            )
            question["answers"].append({"student": extra["student"], **written})
    return [questions[key] for key in sorted(questions, key=lambda key: (key[0], questions[key]["number"]))]


def beliefs(graded: list[Results]) -> list[dict[str, Any]]:
    """What the class guessed before each experiment: how many for each choice, and how many said nothing."""
    asked: dict[tuple[str, str, str], dict[str, Any]] = {}
    for results in graded:
        extra = results["extra_data"]
        for guess in extra.get("guesses", []):
            key = extra["notebook"], guess["prediction"], guess["question"]
            belief = asked.setdefault(key, guess | {"counts": dict.fromkeys(guess["choices"], 0), "silent": 0})
            if guess["guess"] in belief["counts"]:
                belief["counts"][guess["guess"]] += 1
            else:
                belief["silent"] += 1
    return [belief | {"said": sum(belief["counts"].values())} for belief in asked.values()]


def slowest(results: list[Results], count: int = 5) -> list[Results]:
    """The submissions that took the grader longest."""
    return sorted(results, key=lambda r: -r["execution_time"])[:count]
