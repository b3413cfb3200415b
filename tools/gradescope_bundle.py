"""Build the bundle that Gradescope runs: `python -m tools.gradescope_bundle NAME [--out FILE] [--torch-index URL] [--wheels DIR]`.

It holds the grader, `utils`, the reference values and data of one notebook, pinned requirements without those that only
students need, and the two scripts that the platform calls. `grader.gradescope` is what runs there.
"""

import argparse
import json
import os
import secrets
import shlex
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from grader.rubric.resume_key import assignment_files
from grader.sandbox.tiers import TIERS
from grader.stages.pipeline import graded_assignments
from tools.pins import pinned
from utils.assignments import assignment_names, load_assignment
from utils.assignments.course import add_course_option, course_file, enter_course
from utils.assignments.places import PROJECT, place_of, shown, this_course

PACKAGES = (
    "numpy",
    "tqdm",
    "pyyaml",
    "jinja2",
)  # of the grader itself; the others are those that the notebook declares
_LEFT_OUT = ("__pycache__", "export", "conftest.py", "test_submission.py")  # PDF, pytest

SETUP = """#!/usr/bin/env bash
# Run once by the platform, as root, when the image is built. The system's Python is left alone: the platform needs it.
set -euo pipefail
source=/autograder/source
python3 -m venv /autograder/venv 2>/dev/null || { apt-get update -q && apt-get install -y -q python3-venv && python3 -m venv /autograder/venv; }
options=(--no-cache-dir --disable-pip-version-check)
if [ -d "$source/wheels" ]; then options+=(--no-index --find-links "$source/wheels"); fi
/autograder/venv/bin/python -m pip install "${options[@]}" @INDEX@ -r "$source/requirements.txt"
/autograder/venv/bin/python -m compileall -q "$source/grader" "$source/utils" "$source/assignments"
"""
RUN = """#!/usr/bin/env bash
# Run by the platform for every submission. A result is there from the first moment, whatever happens after it.
root="${AUTOGRADER_ROOT:-/autograder}"
mkdir -p "$root/results"
cat > "$root/results/results.json" <<'EOF'
@FALLBACK@
EOF
# Closed to the students' code, also where the kernel has no Landlock.
chmod -R go-rwx "$root/source/bundle.json" "$root/results" "$root/submission"
chmod -R go-rwx "$root"/source/assignments/*/references "$root"/source/assignments/*/checks*
cd "$root/source" && "$root/venv/bin/python" -B -m grader.gradescope
exit 0
"""
FALLBACK = {
    "score": 0.0,
    "output": "Something went wrong on our side before grading began, or memory ran out. This is no grade: staff will look into it.",
    "stdout_visibility": "hidden",
    "extra_data": {"status": "grader_error"},
}


def main(arguments: list[str] | None = None) -> int:
    arguments = enter_course(arguments)
    parser = argparse.ArgumentParser(description="Build the bundle that Gradescope runs.")
    parser.add_argument("notebook", choices=graded_assignments())
    parser.add_argument("--out", type=Path, help="default: dist/gradescope-NAME.zip")
    parser.add_argument(
        "--torch-index",
        default="",
        metavar="URL",
        help="a package index with CPU-only builds of torch: a smaller image",
    )
    parser.add_argument(
        "--wheels", type=Path, metavar="DIR", help="packages to put in: nothing is downloaded when the image is built"
    )
    parser.add_argument(
        "--min-tier", choices=list(TIERS), default="B-", help="refuse weaker isolation than this (default: B-)"
    )
    add_course_option(parser)
    options = parser.parse_args(arguments)
    out = options.out or this_course().root / "dist" / f"gradescope-{options.notebook}.zip"
    secret = course_file().secret
    salt = os.environ.get(secret) or secrets.token_hex(16)
    build(options.notebook, out, salt, options.torch_index, options.wheels, options.min_tier)
    print(
        f"{shown(out)}: {out.stat().st_size / 2**20:.1f} MB. Upload it under Configure Autograder (base image: Ubuntu 22.04)."
    )
    if not os.environ.get(secret):
        print(f"It holds a new secret; set {secret} to draw the same inputs after the next build.")
    return 0


def build(
    notebook: str, out: Path, salt: str, torch_index: str = "", wheels: Path | None = None, min_tier: str = "B-"
) -> None:
    """Write the bundle.

    Args:
        notebook: Whose.
        out: The zip to write.
        salt: The course's secret; students cannot read the bundle.
        torch_index: Address of a further package index, for torch.
        wheels: A folder of packages to put in.
        min_tier: Weaker isolation on the platform is a fault of ours.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    index = f"--extra-index-url {shlex.quote(torch_index)}" if torch_index else ""
    texts = {
        "setup.sh": SETUP.replace("@INDEX@", index),
        "run_autograder": RUN.replace("@FALLBACK@", json.dumps(FALLBACK, indent=1)),
        "requirements.txt": requirements(notebook),
        "bundle.json": json.dumps(
            {"notebook": notebook, "salt": salt, "min_tier": min_tier, "release": course_file().release}, indent=1
        )
        + "\n",
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            _add(archive, name, text.encode(), is_executable=name in ("setup.sh", "run_autograder"))
        for name, path in _sources(notebook):
            _add(archive, name, path.read_bytes())
        for wheel in sorted(wheels.glob("*.whl")) if wheels else []:
            _add(archive, f"wheels/{wheel.name}", wheel.read_bytes())


def requirements(notebook: str) -> str:
    """The pins of the packages that grading one notebook needs.

    Raises:
        ValueError: If one of them is pinned nowhere.
    """
    return "".join(f"{pin}\n" for pin in pinned((*PACKAGES, *load_assignment(notebook).about.packages)))


def _sources(notebook: str) -> Iterator[tuple[str, Path]]:
    """What is packed, with its name in there: on the platform the course lies beside the grader."""
    for part in ("grader", "utils"):
        for path in sorted((PROJECT / part).rglob("*")):
            name = path.relative_to(PROJECT)
            if path.is_file() and not set(name.parts) & set(_LEFT_OUT):
                yield str(name), path
    root = this_course().root
    yield from ((str(path.relative_to(root)), path) for path in _of_assignment(notebook))


def _of_assignment(notebook: str) -> Iterator[Path]:
    """What the notebook's scores depend on; of the others what tells them apart."""
    place = place_of(notebook)
    needed = assignment_files(place)
    yield from (other for name in assignment_names() if (other := place.course.place(name).manifest) not in needed)
    yield from needed


def _add(archive: zipfile.ZipFile, name: str, data: bytes, is_executable: bool = False) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = (0o755 if is_executable else 0o644) << 16
    archive.writestr(info, data, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    sys.exit(main())
