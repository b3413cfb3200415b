"""Where a course lies, and what lies where in it: the one place that knows the folders' names.

    COURSE/assignments/flows/    the folder of the notebook 07_flows
        about.toml  notebook.py  probes.py  checks.py or checks/  slips.py  right.py  references/  manifest.json  ...

A course is a folder with `assignments/` in it: the one that the environment's COURSE names, else the one that `utils` lies in.
Only the standard library is used, and nothing of an assignment is read or imported before it is asked for.
"""

import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

PROJECT = Path(__file__).resolve().parents[2]
ASSIGNMENTS = "assignments"  # the folder in a course, and the package that its modules are imported from


@dataclass(frozen=True)
class Place:
    """The folder of one assignment."""

    course: "Course"
    folder: str  # "flows"

    @property
    def path(self) -> Path:
        return self.course.root / ASSIGNMENTS / self.folder

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def references(self) -> Path:
        return self.path / "references"

    def module(self, part: str) -> str:
        """The dotted name of a part, such as "probes" or "checks.quality"."""
        return f"{ASSIGNMENTS}.{self.folder}.{part}"

    def has(self, part: str) -> bool:
        """Whether the assignment has this module, without loading it."""
        path = self.path / part.replace(".", "/")
        return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()

    def load(self, part: str) -> ModuleType:
        """Import a part.

        Raises:
            ModuleNotFoundError: If the assignment has none.
        """
        self.course.open()
        return importlib.import_module(self.module(part))


@dataclass(frozen=True)
class Course:
    """A folder of assignments."""

    root: Path

    def open(self) -> None:
        """Let Python find the course's modules."""
        if str(self.root) not in sys.path:
            sys.path.append(str(self.root))

    def place(self, notebook: str) -> Place:
        """The folder of a notebook: `07_flows` lies in `flows`, since a module's name begins with no digit."""
        return Place(self, notebook.lstrip("0123456789_"))

    def places(self) -> tuple[Place, ...]:
        """All folders of assignments, by name."""
        folders = sorted(path.name for path in (self.root / ASSIGNMENTS).glob("*") if path.is_dir())
        return tuple(Place(self, name) for name in folders if name.isidentifier() and not name.startswith("_"))

    def data(self, name: str) -> Path:
        """A file of the course's own data folder."""
        return self.root / "data" / name


def this_course() -> Course:
    """The course that the environment's COURSE names, else the one beside `utils`."""
    return Course(Path(os.environ.get("COURSE") or PROJECT).resolve())


def place_of(notebook: str) -> Place:
    """The folder of one of this course's notebooks."""
    return this_course().place(notebook)
