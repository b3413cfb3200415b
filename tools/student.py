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
from utils.assignments import load_assignment, parse_assignment
from utils.assignments.places import place_of

BUNDLE = "generative-models"  # the folder a student unpacks
_PATTERNS = ("utils/**/*", "data/README.md")
_KINDS = {".py", ".json", ".lua", ".typ", ".safetensors", ".png", ".npz", ".md"}
_STUDENT_FILES = ROOT / "tools" / "student_files"
_STAFF_BLOCK = "# --- staff"
_EPOCH = (2026, 1, 1, 0, 0, 0)  # a zip wants a time; always the same one


def student_files() -> dict[str, bytes]:
    """What the bundle holds.

    Returns:
        Path inside the bundle's folder to content, in the order of the paths.

    Raises:
        ConventionError: If a notebook's source breaks a convention.
        FileNotFoundError: If a file of the bundle is missing.
        ValueError: If requirements.txt has no staff block to leave out.
    """
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in _plain_files()}
    for name in source_names():
        generated = expected_files(name)
        files |= {path.relative_to(ROOT).as_posix(): content for path, content in generated.items()}
        files |= {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in _needs(name)}
    files["requirements.txt"] = _student_requirements().encode()
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    shown = {"{{notebooks}}": _notebooks_table(), "{{first}}": source_names()[0]}
    for name in ("README.md", "Makefile"):
        text = (_STUDENT_FILES / name).read_text(encoding="utf-8")
        for mark, words in shown.items():
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
            info = zipfile.ZipInfo(f"{BUNDLE}/{name}", _EPOCH)
            info.create_system, info.external_attr = 3, 0o644 << 16  # the same on every system
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the bundle was written, 1 with one sentence when not."""
    parser = argparse.ArgumentParser(prog="python -m tools.student", description="Build the student bundle.")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "dist" / "student.zip", help="the zip (default: dist/student.zip)"
    )
    target = parser.parse_args(arguments).out
    try:
        write_bundle(target)
    except (OSError, ValueError) as error:
        print(f"No bundle was written: {error}", file=sys.stderr)
        return 1
    size = target.stat().st_size / 1e6
    shown = target.relative_to(ROOT) if target.is_relative_to(ROOT) else target
    print(f"Wrote {shown}, {size:.1f} MB. Give it to your students; its README tells them how to start.")
    return 0


def _plain_files() -> list[Path]:
    found = []
    for pattern in _PATTERNS:
        matches = [path for path in ROOT.glob(pattern) if path.is_file() and path.suffix in _KINDS]
        if not matches:
            raise FileNotFoundError(f"{pattern} is missing from the project; restore it and run `make student` again.")
        found += matches
    return found


def _needs(name: str) -> Iterator[Path]:
    """What an assignment declares for its students: bundled data and weights, the check of files that are handed in."""
    place, about = place_of(name), load_assignment(name).about
    if about.data and about.data.bundled:
        yield from (place.course.data(file) for file in about.data.files)
    if about.hand_in:
        yield (place.path / about.hand_in.check.replace(".", "/")).with_suffix(".py")
    yield from sorted((place.path / "weights").glob("*"))


def _student_requirements() -> str:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    head, mark, _ = text.partition(_STAFF_BLOCK)
    if not mark:
        raise ValueError(f"requirements.txt has no line that begins `{_STAFF_BLOCK}`; the students' block ends there.")
    pins = head[head.index("# --- students") :].splitlines()[1:]
    return (
        "# What the notebooks, the hand-in and the PDF need: pip install -r requirements.txt\n"
        + "\n".join(pins).strip()
        + "\n"
    )


def _notebooks_table() -> str:
    rows = ["| notebook | title | points |", "|---|---|---:|"]
    for name in source_names():
        assignment = parse_assignment(manifest(name))
        title = assignment.title.removeprefix(f"Notebook {name[:2].lstrip('0')}: ")
        rows.append(f"| `{name}` | {title[:1].upper()}{title[1:]} | {assignment.total_points} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
