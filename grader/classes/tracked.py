"""Whether git would commit what students handed in, or their points: said before it happens, once a run."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

_SECONDS = 5.0


def would_be_committed(paths: Iterable[Path]) -> list[str]:
    """Those of the paths that lie in a git repository which does not ignore them, a sentence each.

    Args:
        paths: What holds students' work or results, whether it is there yet or not.

    Returns:
        Sentences; none where git is not installed, or does not answer.
    """
    return [
        f"{path} lies in a git repository that would commit it, and it holds students' work: add it to .gitignore there."
        for path in paths
        if _is_open_to_git(path.resolve())
    ]


def _is_open_to_git(path: Path) -> bool:
    here = next((parent for parent in path.parents if parent.is_dir()), None)
    if here is None or not any((parent / ".git").exists() for parent in (here, *here.parents)):
        return False
    # 1: a repository, and it does not ignore the path; 0: it does; anything else: no repository of this user's
    name = str(path) if path.is_file() else f"{path}{os.sep}"  # a pattern for folders takes what is called one
    return _git(here, "check-ignore", "--quiet", "--no-index", "--", name) == 1


def _git(folder: Path, *arguments: str) -> int | None:
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments]
    try:
        return subprocess.run(command, capture_output=True, timeout=_SECONDS, env=environment, check=False).returncode
    except (OSError, subprocess.SubprocessError):
        return None
