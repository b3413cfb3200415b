"""What a folder of results holds already: another notebook, or results with another secret, are not graded over unasked."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from grader.classes.batch import Settings, keyed
from grader.classes.results_folder import each_result

SHARD_FILE = "shard.json"  # see `shards`
_RUN = ("run.json", SHARD_FILE)


class HoldsAnother(ValueError):
    """The folder's results would be replaced by something else; the message is one sentence."""


def secret_mark(settings: Settings) -> str:
    """A mark of the course's secret for `run.json`: tells another secret, and says nothing of this one."""
    return keyed(settings, b"run").hex()[:16]


def require_same(out: Path, notebooks: Iterable[str], settings: Settings, is_fresh: bool) -> bool:
    """See that a run belongs into a folder.

    Args:
        out: The folder of results.
        notebooks: What will be graded, "" for nobody knows what.
        settings: Of the run.
        is_fresh: Whether everything is to be graded again anyway.

    Returns:
        Whether each notebook has a folder of its own in it: where there are several now, or were before.

    Raises:
        HoldsAnother: If the folder holds results of other notebooks, or drawn with another secret.
    """
    new = {name for name in notebooks if name}
    run = _run(out)
    old = set(held_notebooks(out))
    secret = run.get("secret")
    if old and secret and secret != secret_mark(settings) and not is_fresh:
        raise HoldsAnother(
            f"The results in {out} were drawn with another secret of the course: with this one everybody would be graded "
            "again, on other inputs. Set the secret that was used, or choose another --out, or say --fresh."
        )
    was_several = bool(run.get("notebooks"))
    if len(new) > 1 and old and not was_several:
        raise HoldsAnother(
            f"{out} holds results of {' and '.join(sorted(old))}, and this class hands in {', '.join(sorted(new))}: choose "
            f"one of them with --notebook, or another --out for all."
        )
    if not was_several and old and new and not new & old:
        raise HoldsAnother(
            f"{out} holds results of {' and '.join(sorted(old))}, and this is {' and '.join(sorted(new))}: choose another --out."
        )
    return len(new) > 1 or (was_several and bool(new))


def held_notebooks(out: Path) -> list[str]:
    """The notebooks whose results lie in a folder; of a folder with one notebook, the first that is found."""
    several = _run(out).get("notebooks")
    if isinstance(several, list):
        return [str(name) for name in several]
    return next(([name] for result in each_result(out) if (name := result["extra_data"]["notebook"])), [])


def held_secret(out: Path) -> str:
    """The mark of the secret that a folder's results were drawn with; "" where nothing says it."""
    mark = _run(out).get("secret")
    return mark if isinstance(mark, str) else ""


def _run(out: Path) -> dict[str, Any]:
    for name in _RUN:
        try:
            run = json.loads((out / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(run, dict):
            return run
    return {}
