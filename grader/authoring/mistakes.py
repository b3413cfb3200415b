"""What is wrong with an assignment's files, found without running a student's code: one sentence each, with file and line.

The commands that build and grade ask here first, so that an author reads where to look and not a traceback.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from grader.authoring.check import Check
from grader.authoring.slips import Variant, parse_variants
from utils.assignments import Assignment, load_assignment
from utils.assignments.course import line_of
from utils.assignments.places import CourseError, Place, place_of, sentence_about, shown

_QUALITY = ("PART", "TASK", "inputs", "score_values", "picture")
_TRAINED = ("CALLS", "PARTS", "trial", "disagreement", "score")
Said = Iterator[str]


def require_sound(notebook: str, is_quick: bool = False) -> None:
    """Stop at an assignment with mistakes.

    Args:
        notebook: Its name.
        is_quick: Leave out what takes seconds to load: the quality stage, the check of files handed in.

    Raises:
        CourseError: With a sentence for each, a line each.
    """
    if found := find_mistakes(notebook, is_quick):
        raise CourseError("\n".join(found))


def find_mistakes(notebook: str, is_quick: bool = False) -> list[str]:
    """The mistakes in an assignment's probes, checks, slips, right answers and declarations.

    Args:
        notebook: Its name; its manifest has been built.
        is_quick: See `require_sound`.

    Returns:
        One sentence each: file, line, what is there, and the next step. Empty if there is none.
    """
    place, assignment = place_of(notebook), load_assignment(notebook)
    try:
        functions = _functions(place)
        found = [*_checks(place, assignment, functions)]
    except CourseError as error:
        found = [str(error)]
    for part, is_slip in (("slips", True), ("right", False)):
        found += _variants(place.path / f"{part}.py", assignment, is_slip)
    return [*found, *(() if is_quick else _declared(place, assignment))]


# ---------------------------------------------------------------- probes and checks


def _functions(place: Place) -> dict[str, ast.FunctionDef]:
    """The probes, by name. They are read, not run: whatever they do, they do in a student's process."""
    path = place.path / "probes.py"
    if not path.is_file():
        raise CourseError(f"{shown(path)}, line 1: the file is missing; a function in it calls each answer.")
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    except SyntaxError as error:
        raise CourseError(sentence_about(error, place.path)) from None
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _checks(place: Place, assignment: Assignment, functions: dict[str, ast.FunctionDef]) -> Said:
    module = place.load("checks")
    file = module.__file__ or ""
    checks = getattr(module, "CHECKS", None)
    if not isinstance(checks, tuple | list):
        yield f"{_at(file, 1)}: there is no CHECKS; write `CHECKS = (Check(...), ...)`."
        return
    names: set[str] = set()
    for number, check in enumerate(checks, 1):
        if not isinstance(check, Check):
            line = _line_with(Path(file), "CHECKS")
            yield f"{_at(file, line)}: number {number} of CHECKS is a {type(check).__name__}; put a Check(...) there."
            continue
        at = _at(*check.place)
        if check.name in names:
            yield f"{at}: the name {check.name!r} stands twice; give each check its own."
        names.add(check.name)
        if check.task not in {task.id for task in assignment.tasks}:
            known = ", ".join(task.id for task in assignment.tasks) or "none; run `python -m tools.notebooks`"
            yield f"{at}: {check.name} names the task {check.task!r}; the notebook has {known}."
        yield from (f"{at}: {said}" for said in _probe(check, functions, place))
    yield from _points(place, assignment, [check for check in checks if isinstance(check, Check)])


def _probe(check: Check, functions: dict[str, ast.FunctionDef], place: Place) -> Said:
    function = functions.get(check.probe.function)
    if function is None:
        known = ", ".join(functions) or "no function at all"
        yield f"{check.name} asks for the probe {check.probe.function!r}; probes.py has {known}."
        return
    try:
        drawn = check.probe.draw(np.random.default_rng(0)) if check.probe.public or check.probe.fresh else {}
    except Exception as error:  # the author's function may raise anything
        yield f"{check.name}: its draw does not run: {sentence_about(error, place.path)}"
        return
    if not isinstance(drawn, dict) or not all(isinstance(key, str) for key in drawn):
        yield f"{check.name}: its draw returns a {type(drawn).__name__}; return a dict from names to arrays."
        return
    for name, value in drawn.items():
        if not isinstance(value, np.ndarray | np.generic | int | float):
            yield f"{check.name}: its draw returns a {type(value).__name__} as {name!r}; return an array or a number."
    yield from _arguments(check.name, function, set(drawn))


def _arguments(check: str, function: ast.FunctionDef, drawn: set[str]) -> Said:
    taken = function.args
    words = [argument.arg for argument in (*taken.posonlyargs, *taken.args)]
    if not words:
        yield f"{check}: line {function.lineno} of probes.py takes nothing; `def {function.name}(names, ...)` takes the notebook's names."
        return
    optional = set(words[len(words) - len(taken.defaults) :]) if taken.defaults else set()
    optional |= {a.arg for a, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True) if default is not None}
    known = {*words[1:], *(argument.arg for argument in taken.kwonlyargs)}
    lacking, unknown = known - optional - drawn, drawn - known
    if lacking:
        yield f"{check}: the probe takes {_list(lacking)} (line {function.lineno} of probes.py), which is not drawn; draw it."
    if unknown and taken.kwarg is None:
        takes = f"the probe takes {_list(known) or 'no input'} (line {function.lineno} of probes.py)"
        yield f"{check}: {_list(unknown)} is drawn, but {takes}; make them one."


def _points(place: Place, assignment: Assignment, checks: list[Check]) -> Said:
    for task in assignment.tasks:
        own = [check for check in checks if check.task == task.id]
        line = _line_with(place.path / "notebook.py", f"# AUTOGRADED ({task.points}) {task.word}")
        if not own:
            yield f"{_at(place.path / 'notebook.py', line)}: no check asks about {task.id}; add one to CHECKS in checks.py."
        elif (points := sum(check.points for check in own)) != task.points:
            tagged = f"its tag (line {line} of notebook.py) {task.points}"
            yield f"{_at(*own[-1].place)}: the checks of {task.id} give {points:g} points, {tagged}; make them equal."


# ---------------------------------------------------------------- slips and right answers


def _variants(path: Path, assignment: Assignment, is_slip: bool) -> Said:
    if not path.is_file():
        yield f"{_at(path, 1)}: the file is missing; {'usual wrong answers' if is_slip else 'further right answers'} stand there."
        return
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("# %%") and not re.fullmatch(r"# %% \S+ \w+[ \t]*", line):
            yield f"{_at(path, number)}: `{line}` is not read; write `# %% TASK name`."
    try:
        variants = parse_variants(text)
    except ValueError as error:
        task, name = str(error).partition(":")[0].split(" ")
        yield f"{_at(path, _line_with(path, f'# %% {task} {name}'))}: {error}."
        return
    seen: set[tuple[str, str]] = set()
    for variant in variants:
        at = _at(path, _line_with(path, f"# %% {variant.task} {variant.name}"))
        yield from (f"{at}: {said}" for said in _variant(variant, assignment, is_slip))
        if (variant.task, variant.name) in seen:
            yield f"{at}: {variant.name} stands twice; give each its own name."
        seen.add((variant.task, variant.name))


def _variant(variant: Variant, assignment: Assignment, is_slip: bool) -> Said:
    if variant.task not in {task.id for task in assignment.tasks}:
        yield f"there is no task {variant.task!r}; there is {', '.join(task.id for task in assignment.tasks)}."
    if is_slip and not variant.sentence.strip():
        yield f"{variant.name} has no sentence; write below its heading, after `# `, what to tell a student who made it."
    try:
        ast.parse(variant.source)
    except SyntaxError as error:
        yield f"{variant.name} does not parse (line {error.lineno} of its code: {error.msg}); mend it."


def replacement_fault(place: Place, variant: Variant, solution: str) -> str:
    """Why a variant's replacements do not apply to the solution; "" if they do."""
    for old, _ in variant.replacements:
        if not variant.source and old not in solution:
            for path in (place.path / "slips.py", place.path / "right.py"):
                heading = f"# %% {variant.task} {variant.name}"
                if path.is_file() and heading in path.read_text(encoding="utf-8"):
                    at = _at(path, _line_with(path, heading))
                    return f"{at}: the solution has no `{old}` to replace; copy it from notebook.py."
    return ""


# ---------------------------------------------------------------- about.toml


def _declared(place: Place, assignment: Assignment) -> Said:
    about, path = assignment.about, place.path / "about.toml"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if about.data and about.data.bundled:
        for file in about.data.files:
            if not place.course.data(file).is_file():
                yield f"{_at(path, line_of(text, 'files'))}: {file} is not in {shown(place.course.data(file).parent)}; put it there."
    if about.hand_in:
        yield from _module(place, about.hand_in.check, ("find_problems",), _at(path, line_of(text, "check")))
        if about.hand_in.question not in {question.id for question in assignment.questions}:
            known = ", ".join(question.id for question in assignment.questions)
            at = _at(path, line_of(text, "question"))
            yield f"{at}: there is no question {about.hand_in.question!r}; there is {known}."
    if about.quality:
        yield from _module(place, about.quality.module, _QUALITY, _at(path, line_of(text, "module")))
        if about.quality.cpu_seconds <= 0:
            yield f"{_at(path, line_of(text, 'cpu_seconds'))}: a training needs more than {about.quality.cpu_seconds:g} CPU seconds."

    if about.weights:
        yield from _module(place, about.weights.module, _TRAINED, _at(path, line_of(text, "module")))
        known_tasks = {task.id for task in assignment.tasks}
        for name, model in about.weights.models.items():
            if unknown := set(model.tasks) - known_tasks:
                yield f"{_at(path, line_of(text, 'models'))}: {name} names {_list(unknown)}; there is {_list(known_tasks)}."


def _module(place: Place, part: str, needed: tuple[str, ...], at: str) -> Said:
    try:
        module = place.load(part)
    except CourseError as error:
        yield f"{at}: {part} cannot be used: {error}"
        return
    if lacking := [name for name in needed if not hasattr(module, name)]:
        where = "trained_again.py and trained.py of grader/authoring, and utils/assignments/about.py"
        yield f"{at}: {part} has no {', '.join(lacking)}; {where}, say what is needed."


# ---------------------------------------------------------------- places


def _at(file: Path | str, line: int) -> str:
    return f"{shown(Path(file))}, line {line}"


def _line_with(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
    return next((number for number, line in enumerate(lines, 1) if line.startswith(text)), 1)


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))
