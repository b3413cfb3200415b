"""Where a course lies, and what lies where in it: the one place that knows the folders' names.

    COURSE/assignments/flows/    the folder of the notebook 07_flows
        about.toml  notebook.py  probes.py  checks.py or checks/  slips.py  right.py  references/  manifest.json  ...

A course is a folder with `assignments/` in it: the one that the environment's COURSE names, else the one that `utils` lies in.
Only the standard library is used, and nothing of an assignment is read or imported before it is asked for. The modules of
this course are imported as `assignments.flows.checks`, those of a course elsewhere below a name of its own, so that the two
never meet; a module names its neighbours relatively (`from .helpers import draw`).
"""

import hashlib
import importlib
import os
import re
import sys
import traceback
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType


class CourseError(ValueError):
    """A file of a course cannot be used as it stands; the message names the file, the line and the next step."""


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
        return f"{self.course.package}.{self.folder}.{part}"

    def has(self, part: str) -> bool:
        """Whether the assignment has this module, without loading it."""
        path = self.path / part.replace(".", "/")
        return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()

    def load(self, part: str) -> ModuleType:
        """Import a part.

        Raises:
            CourseError: If the assignment has none, or it does not run.
        """
        if not self.has(part):
            path = self.path / f"{part.replace('.', '/')}.py"
            raise CourseError(f"{shown(path)}, line 1: the file is missing; docs/authoring.md says what it holds.")
        self.course.open()
        try:
            return importlib.import_module(self.module(part))
        except CourseError:
            raise
        except Exception as error:
            raise CourseError(sentence_about(error, self.path)) from error


@dataclass(frozen=True)
class Course:
    """A folder of assignments."""

    root: Path

    @cached_property
    def package(self) -> str:
        """The package that the course's modules are imported from."""
        if self.root == PROJECT:
            return ASSIGNMENTS
        return f"course_{hashlib.sha256(str(self.root).encode()).hexdigest()[:8]}"

    def open(self) -> None:
        """Let Python find the course's modules."""
        if self.package == ASSIGNMENTS:
            if str(self.root) not in sys.path:
                sys.path.append(str(self.root))
        elif self.package not in sys.modules:
            package = ModuleType(self.package)
            package.__path__ = [str(self.root / ASSIGNMENTS)]
            sys.modules[self.package] = package

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


def sentence_about(error: BaseException, folder: Path) -> str:
    """What went wrong when a file of this folder was run, as one sentence with the line that the author is to look at.

    That is the line nearest to the error; where one of our own classes refused its arguments, it is the one that stands
    outside all functions, since a helper of the author's may stand between.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shown(Path(error.filename))}, line {error.lineno or 1}: the code does not parse ({error.msg}); mend that line."
    trace = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in trace if Path(frame.filename).is_relative_to(folder)]
    if not own:
        return f"{shown(folder)}: {type(error).__name__}: {error}."
    is_refusal = isinstance(error, TypeError) and ("__init__()" in str(error) or trace[-1] is not own[-1])
    frame = own[0] if is_refusal else own[-1]
    return f"{shown(Path(frame.filename))}, line {frame.lineno}: {_said(error)}."


def _said(error: BaseException) -> str:
    lacking = re.match(r"(?:\w+\.)*?(\w+)(?:\.__init__)?\(\) missing \d+ required .*?: (.+)", str(error))
    if lacking:
        return f"{lacking[1]} is not given {lacking[2]}; add it there"
    unknown = re.match(r"(?:\w+\.)*?(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument (.+)", str(error))
    if unknown:
        return f"{unknown[1]} knows no {unknown[2]}; take it out, or mend its name"
    text = " ".join(str(error).split()).rstrip(".")
    return text if isinstance(error, CourseError) else f"{type(error).__name__}: {text}; mend that line"


def this_course() -> Course:
    """The course that the environment's COURSE names, else the one beside `utils`."""
    return Course(Path(os.environ.get("COURSE") or PROJECT).resolve())


def place_of(notebook: str) -> Place:
    """The folder of one of this course's notebooks."""
    return this_course().place(notebook)


def shown(path: Path) -> str:
    """A path as a person should read it: from the course's folder, where it lies in there."""
    root = this_course().root
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
