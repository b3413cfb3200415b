"""Whether what graded elsewhere is what grades here: code, references, versions and the course's secret, each told by name.

Every part is a digest or a version, none says anything of the secret or of a reference value: it may lie in a folder.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import version

from grader import __version__
from grader.classes.batch import Settings
from grader.classes.held import secret_mark
from grader.rubric import load_rubric
from grader.rubric.resume_key import engine_files
from grader.stages.pipeline import graded_assignments
from utils.assignments import load_assignment
from utils.assignments.places import PROJECT

SECRET = "secret of the course"


def made_with(settings: Settings, names: Iterable[str] = ()) -> dict[str, str]:
    """What results depend on beside the hand-ins.

    Args:
        settings: Of the run.
        names: The notebooks that it grades; all that can be graded, if there are none.

    Returns:
        A digest or a version for each part, by the name that a person knows it by; the most telling first.
    """
    can = graded_assignments()
    graded = sorted({name for name in (*names, settings.notebook) if name in can}) or can
    libraries = ["numpy", *(["torch"] if any(load_assignment(name).about.uses("torch") for name in graded) else [])]
    return {
        SECRET: secret_mark(settings),
        "version of the grader": __version__,
        "Python": f"{sys.version_info[0]}.{sys.version_info[1]}",  # its exceptions' words differ
        **{library: version(library) for library in libraries},
        "code of the grader": _code(),
        **{f"rubric of {name}": load_rubric(name).digest for name in graded},
    }


def _code() -> str:
    whole = hashlib.sha256()
    for path in engine_files():
        whole.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def difference(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """What of it is another there, in words; "" where nothing is."""
    for part in dict.fromkeys((*here, *there)):
        theirs, ours = there.get(part), here.get(part)
        if theirs != ours:
            told = "" if part == SECRET else f" ({theirs or 'none'} there, {ours or 'none'} here)"
            return f"another {part}{told}"
    return ""
