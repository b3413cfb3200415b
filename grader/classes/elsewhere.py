"""What a worker of another machine runs. It travels to the worker by value: one without this project, or with another, answers too.

Nothing is imported at the top but what Python brings; what comes in and goes out is plain data and bytes.
"""

import pickle
import socket
import sys
from typing import Any

DIFFERS, RAISED, DONE = "differs", "raised", "done"


def run(asked: dict[str, Any], call: bytes) -> tuple[str, Any]:
    """Run a call if this process is as the client is.

    Args:
        asked: `settings` and `made_with` of the client, as plain data, and the weakest isolation `tiers` that will do.
        call: A pickled function with its arguments; only what has proved to be the same unpickles it.

    Returns:
        (DIFFERS, what is another here, in words), (RAISED, the exception) or (DONE, what the function returns).
    """
    if told := why_not(asked):
        from distributed import get_worker

        return DIFFERS, (get_worker().address, f"on {socket.gethostname()}, {told}")
    try:
        function, args, named = pickle.loads(call)
        return DONE, function(*args, **named)
    except Exception as error:
        return RAISED, error


def why_not(asked: dict[str, Any]) -> str:
    """What is another here than at the client's; "" where nothing is. Found once for each client's questions."""
    known = sys.__dict__.setdefault("_grader_proofs", {})
    key = repr(sorted(asked.items()))
    if key not in known:
        known[key] = _found(asked)
    return known[key]


def _found(asked: dict[str, Any]) -> str:
    try:
        from grader.classes.batch import Settings, tier_here
        from grader.classes.pool import limit_memory
        from grader.classes.sameness import difference, made_with
        from grader.sandbox.tiers import TIERS

        settings = Settings(**asked["settings"])
        if told := difference(made_with(settings, asked["notebooks"]), asked["made_with"]):
            return told
        limit_memory()
        tier = tier_here(settings)
        if tier in asked["tiers"]:
            return ""
        return f"isolation tier {tier} ({TIERS[tier].confined_by}), at least {asked['tiers'][-1]} is asked for"
    except Exception as error:
        return f"it cannot grade: {type(error).__name__}: {error}"
