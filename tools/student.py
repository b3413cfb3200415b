"""The student bundle: `python -m tools.student` writes `dist/student.zip`.

Notebooks are built from their sources, not copied, so that an instructor's own solved copy never travels. The same sources
give the same bytes.
"""

import argparse
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tools.notebook_source import ROOT, source_names
from tools.notebooks import expected_files, manifest
from tools.pins import block, pinned
from utils.assignments import all_assignments, load_assignment, parse_assignment
from utils.assignments.course import add_course_option, course_file, enter_course
from utils.assignments.places import place_of, shown, this_course

_KINDS = {".py", ".lua", ".typ"}
_STUDENT_FILES = ROOT / "tools" / "student_files"
_TORCH_DOWNLOAD = (
    "it takes some\nminutes, most of them for PyTorch: some hundred megabytes, on Linux a few gigabytes, "
    "because its GPU libraries come along there."
)
_EPOCH = (2026, 1, 1, 0, 0, 0)  # a zip wants a time; always the same one


def student_files() -> dict[str, bytes]:
    """What the bundle holds.

    Returns:
        Path inside the bundle's folder to content, in the order of the paths.

    Raises:
        ConventionError: If a notebook's source breaks a convention.
        FileNotFoundError: If a file of the bundle is missing.
        ValueError: If a declared package is pinned nowhere, or the course has no notebook.
    """
    if not source_names():
        raise ValueError(f"{this_course().root} has no notebook; start one with `python -m tools.new_assignment NAME`.")
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in _of_utils()}
    course = this_course()
    for name in source_names():
        generated = expected_files(name)
        shown_inside = course.root / "notebooks" / "figures"  # the notebook holds its pictures itself
        files |= {
            path.relative_to(course.root).as_posix(): content
            for path, content in generated.items()
            if path.parent != shown_inside
        }
        files |= {path.relative_to(course.root).as_posix(): path.read_bytes() for path in _needs(name)}
    if course.data("README.md").is_file():
        files["data/README.md"] = course.data("README.md").read_bytes()
    files["requirements.txt"] = _student_requirements().encode()
    own = course.root / "LICENSE"
    files["LICENSE"] = (own if own.is_file() else ROOT / "LICENSE").read_bytes()
    if own.is_file() and course.root != ROOT:
        files["utils/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    about = course_file()
    words_for = {
        "{{title}}": about.title,
        "{{about}}": about.about.strip(),
        "{{notebooks}}": _notebooks_table(),
        "{{first}}": source_names()[0],
        "{{download}}": _TORCH_DOWNLOAD if "torch" in _declared() else "it takes a minute or two.",
    }
    for name in ("README.md", "Makefile"):
        text = (_STUDENT_FILES / name).read_text(encoding="utf-8")
        for mark, words in words_for.items():
            text = text.replace(mark, words)
        files[name] = text.encode()
    return dict(sorted(files.items()))


def write_bundle(target: Path) -> None:
    """Write the bundle as a zip.

    Args:
        target: The zip; overwritten when it exists, its folder made when missing.
    """
    files = student_files()
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(f"{course_file().name}/{name}", _EPOCH)
            info.create_system, info.external_attr = 3, 0o644 << 16  # the same on every system
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the bundle was written, 1 with one sentence when not."""
    arguments = enter_course(arguments)
    usual = this_course().root / "dist" / "student.zip"
    parser = argparse.ArgumentParser(prog="python -m tools.student", description="Build the student bundle.")
    parser.add_argument("--out", type=Path, default=usual, help="the zip (default: dist/student.zip in the course)")
    add_course_option(parser)
    target = parser.parse_args(arguments).out
    try:
        write_bundle(target)
    except (OSError, ValueError) as error:
        print(f"No bundle was written: {error}", file=sys.stderr)
        return 1
    size = target.stat().st_size / 1e6
    print(f"Wrote {shown(target)}, {size:.1f} MB. Give it to your students; its README tells them how to start.")
    return 0


def _of_utils() -> list[Path]:
    return [path for path in ROOT.glob("utils/**/*") if path.is_file() and path.suffix in _KINDS]


def _needs(name: str) -> Iterator[Path]:
    """What an assignment declares for its students: bundled data and weights, the check of files that are handed in."""
    place, about = place_of(name), load_assignment(name).about
    if about.data and about.data.bundled:
        yield from (place.course.data(file) for file in about.data.files)
    if about.hand_in:
        yield (place.path / about.hand_in.check.replace(".", "/")).with_suffix(".py")
    yield from sorted((place.path / "weights").glob("*"))


def _student_requirements() -> str:
    pins = pinned((*_declared(), *block("students")))
    return "\n".join(["# What the notebooks, the hand-in and the PDF need: pip install -r requirements.txt", *pins, ""])


def _declared() -> list[str]:
    """The packages that the course's notebooks name, in this project's order, then by name."""
    named = {package for assignment in all_assignments() for package in assignment.about.packages}
    usual = [package for package in block("declared") if package in named]
    return [*usual, *sorted(named - {*usual, *block("students")})]


def _notebooks_table() -> str:
    rows = ["| notebook | title | points |", "|---|---|---:|"]
    for name in source_names():
        assignment = parse_assignment(manifest(name))
        title = assignment.title.removeprefix(f"Notebook {name[:2].lstrip('0')}: ")
        rows.append(f"| `{name}` | {title[:1].upper()}{title[1:]} | {assignment.total_points} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
