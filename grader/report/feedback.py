"""`feedback.html`: the page a student reads. One file, no script, made from the results alone."""

from pathlib import Path
from typing import Any

import jinja2

from grader.records import STATUSES
from grader.report.formulas import set_formulas

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGE = "feedback.html"
_SIGNS = {"passed": "✓", "partial": "◐", "manual": "…", "grader_error": "!"}


def load_page() -> None:
    """Read the page's template, which the first page would wait for."""
    TEMPLATES.get_template(_PAGE)


def feedback_page(results: dict[str, Any]) -> str:
    """Render the feedback page of one submission.

    Args:
        results: The content of its `results.json`.

    Returns:
        A complete HTML page.
    """
    extra = results["extra_data"]
    set_texts = _set(results)
    return TEMPLATES.get_template(_PAGE).render(
        extra=extra,
        score=results.get("score"),
        max_score=sum(test.get("max_score", 0) for test in results["tests"]),
        questions=_by_question(results["tests"]),
        signs=_SIGNS,
        written=set_texts["written"],
        given=set_texts["given"],
        statuses={name: STATUSES[name] for name in _used_statuses(results)},
    )


def _set(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By check, what was written and what a person gave for it, with formulas set; all of a page at once."""
    parts = {part["check"]: part for part in results["extra_data"].get("written", [])}
    given = {facts["check"]: facts["by_hand"] for t in results["tests"] if "by_hand" in (facts := t["extra_data"])}
    texts = [part["text"] for part in parts.values()]
    for mark in given.values():
        texts += [mark["comment"], *(line["words"] for line in mark["lines"])]
    done = iter(set_formulas(texts))
    written = {check: part | {"text": next(done)} for check, part in parts.items()}
    marks = {}
    for check, mark in given.items():
        comment = next(done)
        marks[check] = {"comment": comment, "lines": [line | {"words": next(done)} for line in mark["lines"]]}
    return {"written": written, "given": marks}


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
