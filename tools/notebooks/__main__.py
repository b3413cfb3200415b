"""Write the student notebooks and their manifests.

    python -m tools.notebooks [NAME ...]            write notebooks/NAME.ipynb and what belongs to it
    python -m tools.notebooks --check [NAME ...]    write nothing; say which of them are out of step
    python -m tools.notebooks --solved DIR          write the solved notebooks, not executed, to DIR
"""

import argparse
import sys
from pathlib import Path

from tools.conventions import ConventionError
from tools.notebook_source import source_names
from tools.notebooks import as_text, expected_files, solved_notebook
from utils.assignments.course import add_course_option, enter_course
from utils.assignments.places import shown


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when all is well, 1 with one sentence a problem otherwise."""
    arguments = enter_course(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m tools.notebooks", description="Build the notebooks from their sources."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="notebooks to build; default: all")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is out of step")
    parser.add_argument("--solved", type=Path, metavar="DIR", help="write the solved notebooks to this folder")
    add_course_option(parser)
    options = parser.parse_args(arguments)
    problems: list[str] = []
    try:
        names = options.names or source_names()
    except ValueError as error:
        names, problems = [], [str(error)]
    for name in names:
        try:
            problems += _build(name, options.check, options.solved)
        except (ConventionError, FileNotFoundError, ValueError) as error:
            problems.append(str(error))
    print("\n".join(problems), file=sys.stderr, end="\n" if problems else "")
    return 1 if problems else 0


def _build(name: str, is_check: bool, solved_folder: Path | None) -> list[str]:
    files = (
        {solved_folder / f"{name}.ipynb": as_text(solved_notebook(name)).encode()}
        if solved_folder
        else expected_files(name)
    )
    stale = [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]
    if is_check:
        return [f"{shown(path)} is out of step with its source; run `make notebooks` and commit it." for path in stale]
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[path])
        print(f"wrote {shown(path)}")
    return []


if __name__ == "__main__":
    sys.exit(main())
