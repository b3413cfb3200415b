"""`feedback.html`: the page a student reads. One file, no script, made from the results alone."""

from pathlib import Path
from typing import Any

import jinja2

from grader.records import STATUSES

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_SIGNS = {"passed": "✓", "partial": "◐", "manual": "…", "grader_error": "!"}


def feedback_page(results: dict[str, Any]) -> str:
    """Render the feedback page of one submission.

    Args:
        results: The content of its `results.json`.

    Returns:
        A complete HTML page.
    """
    extra = results["extra_data"]
    return TEMPLATES.get_template("feedback.html").render(
        extra=extra,
        score=results.get("score"),
        max_score=sum(test.get("max_score", 0) for test in results["tests"]),
        questions=_by_question(results["tests"]),
        signs=_SIGNS,
        written={part["check"]: part for part in extra.get("written", [])},
        statuses={name: STATUSES[name] for name in _used_statuses(results)},
    )


def _by_question(tests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Checks gathered under their question, in the order of the notebook's numbers."""
    questions: dict[str, dict[str, Any]] = {}
    for test in tests:
        task = test["extra_data"]["task"]
        number = ".".join(test["number"].split(".")[:2])
        question = questions.setdefault(
            task, {"task": task, "number": number, "checks": [], "score": 0.0, "max_score": 0.0, "pending": 0.0}
        )
        question["checks"].append(test)
        question["score"] += test.get("score", 0)
        question["max_score"] += test.get("max_score", 0)
        question["pending"] += test["extra_data"]["points"] if test["extra_data"]["status"] == "manual" else 0
    return sorted(
        questions.values(), key=lambda question: [int(n) for n in question["number"].split(".") if n.isdigit()]
    )


def _used_statuses(results: dict[str, Any]) -> list[str]:
    used = {test["extra_data"]["status"] for test in results["tests"]}
    return [name for name in STATUSES if name in used]
