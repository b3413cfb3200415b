"""What students may read before the deadline: that their answers run, and how they do on the examples that they can see.

An answer that only the drawn inputs refuse reads exactly like one that passes, so nothing can be learnt about them by
handing in again and again. No points, no marks, nothing trained again: these come afterwards.
"""

import copy
from typing import Any

from grader.stages.sentences import hidden_sentence

Results = dict[str, Any]
EARLY, ALL = "early", "all"
STAGES = (EARLY, ALL)
_AFTERWARDS = ("adjustments", "late", "by_hand", "pending_points", "cpu_seconds")


def early(results: Results) -> Results:
    """The results as they are shown before the deadline; the originals stay as they are.

    Args:
        results: The content of a `results.json`.

    Returns:
        The same without scores; each check says what the visible examples say.
    """
    shown = {name: value for name, value in results.items() if name != "score"}
    shown["tests"] = [_early(test) for test in results["tests"]]
    kept = {name: value for name, value in results["extra_data"].items() if name not in _AFTERWARDS}
    statuses = {test["extra_data"]["status"] for test in shown["tests"]}
    status = "passed" if statuses <= {"passed", "manual"} else "partial"
    is_turned_away = bool(kept["rejection"]) or kept["status"] == "grader_error"
    shown["extra_data"] = kept | {
        "pending_points": 0, "stage": EARLY, "status": kept["status"] if is_turned_away else status,
    }  # fmt: skip
    shown["output"] = kept["rejection"]
    return shown


def _early(test: dict[str, Any]) -> dict[str, Any]:
    facts = test["extra_data"]
    shown: dict[str, Any] = {
        key: copy.deepcopy(test[key])
        for key in ("name", "number", "output", "output_format", "visibility")
        if key in test
    }
    own = {key: facts[key] for key in ("check", "task", "status", "slip", "points")}
    if _is_read_or_measured(facts["check"]):
        has_answer = facts["status"] != "missing"
        own |= {"status": "manual" if has_answer else "missing", "slip": ""}
        shown["output"] = f"{facts['task']}: it is looked at after the deadline." if has_answer else test["output"]
    elif facts["status"] == "passed" or hidden_sentence() in test["output"]:
        own |= {"status": "passed", "slip": ""}
        shown["output"] = f"{facts['task']}: it runs, and is right on the examples that you can see."
    if own["status"] not in ("manual", "grader_error"):
        shown["status"] = "passed" if own["status"] == "passed" else "failed"
    return shown | {"extra_data": own}


def _is_read_or_measured(check: str) -> bool:
    """Parts that a person reads, and those that come of training the model again."""
    return check.rstrip("0123456789").rpartition(".")[2] in ("manual", "quality")
