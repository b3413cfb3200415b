"""On Gradescope: one submission in the folders that the platform lays out, `results.json` whatever happens.

    /autograder/source                    this project, as `tools.gradescope_bundle` packed it
    /autograder/submission                the student's files
    /autograder/submission_metadata.json  who, when, which assignment
    /autograder/results/results.json      what we write

The platform shows a submission without a score as broken, so a fault of ours carries the score 0 there and nowhere else:
the student reads that it is no grade, staff read why in a test that only they see, which also hides the total.
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from grader.classes.batch import Settings, Work, encode
from grader.classes.pool import Here
from grader.classes.sorting import chosen, looked_at
from grader.platforms.hand_ins import HandIn, content
from grader.platforms.people import Person
from grader.platforms.tree import files_of
from grader.records import Report
from grader.report.early import early
from grader.report.files import write_atomically
from grader.sandbox.tiers import TIERS, is_at_least
from grader.stages.pipeline import Grader
from utils.assignments.course import STAGED

MEMORY_MIB = 224  # for the student's process beside the loaded packages: all of it fits into 768 MB
STEP_SECONDS = (
    300  # for one cell or probe: 90 CPU seconds of training take 180 at half a CPU; who sleeps is stopped here
)
SECONDS = 540  # of the platform's 600; after them a sentence is written instead of nothing
OUR_FAULT = "Something went wrong on our side, not on yours. This is no grade: staff will look into it, you need not do anything."


def main() -> int:
    root = Path(os.environ.get("AUTOGRADER_ROOT", "/autograder"))
    try:
        signal.signal(signal.SIGALRM, _out_of_time)
        signal.alarm(SECONDS)
        results = graded(root)
    except BaseException:  # whatever it is, the platform must find a file
        results = fault(traceback.format_exc())
    write_atomically(
        root / "results" / "results.json", json.dumps(results, indent=1, ensure_ascii=False) + "\n", room_seconds=0
    )
    print(results["output"] or f"score {results['score']:g}")
    return 0


def graded(root: Path) -> dict[str, Any]:
    """Grade what lies in `submission`.

    Args:
        root: Where the platform's folders are.

    Returns:
        The content of `results.json`.
    """
    bundle = json.loads((root / "source" / "bundle.json").read_text(encoding="utf-8"))
    metadata = read_metadata(root / "submission_metadata.json")
    hand_in = _hand_in(root / "submission", metadata)
    settings = Settings(bundle["notebook"], salt_for(bundle["salt"], metadata))
    ((_, looks),) = looked_at([hand_in], Here())
    hand_in = chosen(hand_in, looks, bundle["notebook"])
    if not hand_in.files:
        sentence = hand_in.doubt or "No file was handed in: hand in the zip that the last cell of the notebook writes."
        report = Report(
            student=hand_in.student,
            file_name="",
            notebook=bundle["notebook"],
            submission_sha256="",
            tier="",
            verdicts=(),
            rejection=sentence,
        )
        return _finished(hand_in, b"", settings, report, bundle)
    with Grader(settings.notebook, settings.salt) as grader:
        if not is_at_least(grader.tier, bundle["min_tier"]):
            raise RuntimeError(
                f"isolation tier {grader.tier} is weaker than {bundle['min_tier']}: it lacks {TIERS[grader.tier].lacks}"
            )
        grader.box.memory_mib, grader.box.step_seconds = MEMORY_MIB, STEP_SECONDS
        name, data = content(hand_in)
        return _finished(hand_in, data, settings, grader.grade_bytes(data, name, hand_in.student), bundle)


def read_metadata(path: Path) -> dict[str, Any]:
    """The platform's metadata; empty where it is missing or of another shape, for grading needs none of it."""
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return metadata if isinstance(metadata, dict) else {}


def salt_for(secret: str, metadata: dict[str, Any]) -> str:
    """The course's secret with the assignment and the students: a file gets the same inputs again when it is handed in
    again, and other inputs when somebody else hands it in."""
    assignment = metadata.get("assignment")
    users = metadata.get("users")
    number = assignment.get("id") if isinstance(assignment, dict) else ""
    ids = sorted(str(user.get("id", "")) for user in users if isinstance(user, dict)) if isinstance(users, list) else []
    return "\n".join([secret, str(number), *ids])


def _hand_in(folder: Path, metadata: dict[str, Any]) -> HandIn:
    users = [user for user in metadata.get("users") or [] if isinstance(user, dict)]
    members = tuple(
        Person(str(u.get("name") or "unnamed"), str(u.get("email") or ""), (("gradescope", str(u.get("id") or "")),))
        for u in users
    )
    student = " + ".join(person.name for person in members) or f"submission {metadata.get('id', '')}".strip()
    files = tuple(files_of(folder)) if folder.is_dir() else ()
    return HandIn(student, members, files, submitted_at=str(metadata.get("created_at") or ""))


def _finished(
    hand_in: HandIn, data: bytes, settings: Settings, report: Report, bundle: dict[str, Any]
) -> dict[str, Any]:
    work = Work(hand_in.student, report.file_name, data, json.dumps(hand_in.about(), ensure_ascii=False))
    results = json.loads(encode(work, settings, report))
    if report.fault:
        return fault(report.fault)
    return (staged(results) if bundle.get("release") == STAGED else results) | {"stdout_visibility": "hidden"}


def staged(results: dict[str, Any]) -> dict[str, Any]:
    """Results whose points show after the deadline; until then the platform shows that it runs, and the visible examples.

    While a test is hidden the platform shows no total either.
    """
    now = early(results)["tests"]
    for test in now:
        test["name"] = f"before the deadline: {test['name']}"
    later = [test | {"visibility": "after_due_date"} for test in results["tests"]]
    output = results["output"] if results["extra_data"]["rejection"] else ""
    return results | {"tests": now + later, "output": output}


def fault(details: str) -> dict[str, Any]:
    """The results of a submission that we failed on.

    Args:
        details: For staff.
    """
    for_staff = {
        "name": "for staff: what went wrong",
        "output": details[-20000:],
        "output_format": "text",
        "visibility": "hidden",
    }
    return {
        "score": 0.0,
        "output": OUR_FAULT,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [for_staff],
        "extra_data": {"status": "grader_error"},
    }


def _out_of_time(*_: object) -> None:
    raise TimeoutError(f"grading was not done after {SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
