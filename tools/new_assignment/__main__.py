"""Start an assignment: `python -m tools.new_assignment NAME [--course DIR]` writes `DIR/assignments/NAME`.

What is written builds, grades and passes its own proof: one question, its solution, three slips, two right answers, three attacks.
An author changes a working thing instead of assembling one. Where DIR is no course yet, it becomes one.
"""

import argparse
import keyword
import os
import sys
from pathlib import Path

from tools.notebook_source import source_names
from utils.assignments.course import FILE, add_course_option, course_file
from utils.assignments.places import ASSIGNMENTS, PROJECT, CourseError, this_course

TEMPLATE = Path(__file__).parent / "template"
COURSE = """\
# A course: this file, and `assignments/`. What may stand here: utils/assignments/course.py.
name = "{name}"            # what files are called by
title = "{title}"
about = "You fill gaps of a few lines each, and a check below every gap tells you at once whether it is right."
results = "results"     # where grades go, seen from here
secret = "GRADER_SALT"  # the environment's variable with the secret that inputs are drawn from
"""
_IGNORED = "results/\ndist/\nexamples/submissions/\n"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the folder is there, 1 with one sentence when not."""
    parser = argparse.ArgumentParser(prog="python -m tools.new_assignment", description="Start an assignment.")
    parser.add_argument(
        "name", metavar="NAME", help="of its folder: a word in small letters, such as linear_regression"
    )
    add_course_option(parser)
    options = parser.parse_args(arguments)
    if options.course:
        os.environ["COURSE"] = str(Path(options.course).resolve())
    try:
        notebook = create(options.name)
    except (CourseError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    where = f" --course {options.course}" if options.course else ""
    print(f"Wrote {this_course().place(notebook).path}. It works as it is:")
    for command in ("tools.notebooks", "tools.references", "tools.examples"):
        print(f"  python -m {command}{where}")
    print(f"  python -m grader grade {_seen(this_course().root / 'examples' / 'submissions')}{where}")
    print("Now change it: docs/authoring.md says how, and its proof is `python -m tests.validity`.")
    return 0


def create(folder: str) -> str:
    """Write an assignment into this course, and the course where there is none.

    Args:
        folder: Its name.

    Returns:
        The notebook's name, the folder's with a number in front.

    Raises:
        CourseError: If the name will not do, or is taken.
    """
    course = this_course()
    if not folder.isidentifier() or folder != folder.lower() or keyword.iskeyword(folder) or folder[0] in "0123456789_":
        raise CourseError(
            f"{folder!r} names no module: take a word of small letters, digits and _, with a letter first."
        )
    path = course.root / ASSIGNMENTS / folder
    if path.exists():
        raise CourseError(f"{path} is there already: take another name, or remove that folder.")
    _create_course(course.root)
    course_file()
    number = max((int(name[:2]) for name in source_names()), default=0) + 1
    name = f"{number:02}_{folder}"
    title = folder.replace("_", " ").capitalize()
    words = {"{{number}}": str(number), "{{name}}": name, "{{folder}}": folder, "{{title}}": title}
    path.mkdir(parents=True)
    for file in sorted(TEMPLATE.iterdir()):
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            for mark, word in words.items():
                text = text.replace(mark, word)
            (path / file.name).write_text(text, encoding="utf-8")
    return name


def _create_course(root: Path) -> None:
    """The course's folder, with what it lacks."""
    if root == PROJECT or (root / FILE).is_file():
        return
    root.mkdir(parents=True, exist_ok=True)
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in root.name) or "course"
    title = name.replace("-", " ").replace("_", " ").capitalize()
    (root / FILE).write_text(COURSE.format(name=name, title=title), encoding="utf-8")
    if not (root / ".gitignore").exists():
        (root / ".gitignore").write_text(_IGNORED, encoding="utf-8")


def _seen(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
