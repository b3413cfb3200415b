"""Plain state and records, searched by rule: what a function depends on is handed to it, and what it returns has names.

Each rule reads the whole tree as text. What may stand there all the same is listed beside the rule, each with its reason.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pages import PROJECT

ENGINE = ("grader", "utils", "tools", "assignments")
CELLS = ("notebook.py", "slips.py", "right.py", "attacks.py")  # students' code: its names and shapes are the notebook's
MOST_PARAMETERS, MOST_FIELDS_BY_PLACE, MOST_IN_A_TUPLE = 6, 5, 2

STATE = {
    "grader/classes/batch.py: sandboxes": "a process keeps its sandboxes warm from hand-in to hand-in; closed at its end",
    "grader/authoring/lines.py: _alone": "of the context that runs, likewise",
    "grader/authoring/lines.py: _check": "of the context that runs: judges are called by authors' code, which does not pass it on",
    "grader/authoring/lines.py: _seen": "likewise",
    "grader/authoring/lines.py: _moved": "likewise",
    "grader/authoring/lines.py: _is_public": "as `_check`: of the case that is judged",
    "grader/stages/clock.py: _bell": "the one thread that rings for all clocks of a process; what it holds is gone when they are stopped",
    "grader/sandbox/not_allowed.py: _last_loaded": "of the zygote, noted before it forks: a child that looked itself would copy a thousand pages",
    "grader/sandbox/not_allowed.py: _within": "likewise",
    "grader/report/formulas.py: _DONE": "what pandoc made of a formula: a bounded memory of a pure function, filled in batches",
    "utils/exercise/predictions.py: _guesses": "of the student's kernel: two cells of a notebook share nothing else",
    "utils/exercise/predictions.py: _revealed": "likewise",
    "utils/submission/place.py: _fetched": "of the student's kernel: what Colab's page handed over, for the question that follows",
    "grader/marking/texts.py: _LOCK": "of that memory",
    "grader/marking/texts.py: _DONE": "what pandoc made of a text: a bounded memory of a pure function, filled in batches",
}
SET_FROM_OUTSIDE = {
    "utils/training/seeding.py: torch.backends.cudnn.benchmark": "PyTorch's own switches for the same numbers again: there is no other way",
    "utils/training/seeding.py: torch.backends.cudnn.deterministic": "likewise",
    "utils/exercise/progress.py: tqdm.auto.tqdm": "in the student's process: notebooks import the bar from there; its widget ends with the kernel",
    "grader/probe_kit/stand_ins.py: nn.Linear.reset_parameters": "in the student's process, while a network is made that is filled anyway",
    "grader/probe_kit/stand_ins.py: nn.Conv2d.reset_parameters": "in the student's process, while a network is made that is filled anyway",
    "grader/probe_kit/stand_ins.py: nn.ConvTranspose2d.reset_parameters": "in the student's process, while a network is made that is filled anyway",
    "grader/probe_kit/stand_ins.py: torch.Tensor.normal_": "in the student's process, while a network without values is made on `meta`",
    "grader/probe_kit/stand_ins.py: DataLoader.__init__": "in the student's process, for one call: loaders then start no workers",
    "grader/probe_kit/watching.py: torch.is_grad_enabled": "in the student's process, back to PyTorch's own: an answer may have replaced it",
}
UNNAMED = {"forward": "of a network: PyTorch calls it, and the notebook says what it returns"}
MANY_BY_PLACE = {"pack"}  # struct.pack
STARTING = {
    "Popen", "Process", "Thread", "ThreadPoolExecutor", "ProcessPoolExecutor", "Workers", "Box", "Grader", "Sitting",
    "TemporaryDirectory", "NamedTemporaryFile", "mkdtemp", "mkstemp", "open", "fork", "socket", "socketpair", "start", "__enter__",
}  # fmt: skip


def _trees(*folders: str) -> dict[str, ast.Module]:
    """The modules below some folders, without what is made of cells."""
    return {name: tree for folder in folders for name, tree in _below(folder).items()}


@cache
def _below(folder: str) -> dict[str, ast.Module]:
    found = {}
    for path in sorted((PROJECT / folder).rglob("*.py")):
        name = path.relative_to(PROJECT).as_posix()
        is_text = path.name in CELLS or "template" in path.parts or name.startswith("tests/published/")
        if not is_text and "__pycache__" not in path.parts:
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _name(node: ast.AST) -> str:
    """The last word of what is called: `pool.Workers(` calls Workers."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_frozen(of: ast.ClassDef) -> bool:
    """Whether instances of a class cannot change, or are no state: records, exceptions, types."""
    made_by = " ".join(ast.unparse(one) for one in (*of.decorator_list, *of.bases))
    return any(word in made_by for word in ("frozen=True", "NamedTuple", "Error", "Exception", "Protocol", "TypedDict"))


# ---------------------------------------------------------------- state


def _state(name: str, tree: ast.Module, changing: set[str]) -> Iterator[str]:
    """Names of a module that hold what changes: empty containers, locks, queues, objects of classes that are not frozen."""
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        value, target = node.value, node.targets[0] if isinstance(node, ast.Assign) else node.target
        is_empty = (isinstance(value, ast.Dict) and not value.keys) or (
            isinstance(value, ast.List | ast.Set) and not value.elts
        )
        is_made = isinstance(value, ast.Call) and _name(value.func) in changing
        if is_empty or is_made or (isinstance(value, ast.Constant) and value.value is None):
            yield f"{name}: {ast.unparse(target)}"
    for function in _functions(tree):
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                yield from (f"{name}: {one}" for one in node.names)


@cache
def _changing() -> set[str]:
    """Names of classes whose objects change: the standard ones, and the project's own."""
    own = {
        node.name for tree in _trees(*ENGINE, "tests").values() for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and not _is_frozen(node)
    }  # fmt: skip
    return own | {
        "dict", "list", "set", "defaultdict", "deque", "Counter", "OrderedDict", "bytearray", "count", "Lock", "RLock", "Queue",
        "SimpleQueue", "ContextVar", "local", "WeakValueDictionary", "WeakKeyDictionary", "TemporaryDirectory", "ExitStack",
    }  # fmt: skip


def test_no_module_holds_what_changes() -> None:
    found = [one for name, tree in _trees(*ENGINE).items() for one in _state(name, tree, _changing())]
    assert sorted(found) == sorted(STATE)


def test_nothing_of_another_module_is_set_from_outside() -> None:
    found = []
    for name, tree in _trees(*ENGINE).items():
        imported = {
            alias.asname or alias.name.partition(".")[0] for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
        }  # fmt: skip
        for node in ast.walk(tree):
            for target in node.targets if isinstance(node, ast.Assign) else ():
                if isinstance(target, ast.Attribute) and _root(target) in imported:
                    found.append(f"{name}: {ast.unparse(target)}")
    assert sorted(set(found)) == sorted(SET_FROM_OUTSIDE)


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def test_no_cache_holds_a_process_or_a_file() -> None:
    found = [one for name, tree in _trees(*ENGINE, "tests").items() for one in _started_behind_a_cache(name, tree)]
    assert "\n".join(found) == ""


def _started_behind_a_cache(name: str, tree: ast.Module) -> Iterator[str]:
    """Cached functions that start something, themselves or through a function of their module; what `with` ends is no matter."""
    functions = {function.name: function for function in tree.body if isinstance(function, ast.FunctionDef)}
    for function in _functions(tree):
        if not any(
            "cache" in ast.unparse(one) and "property" not in ast.unparse(one) for one in function.decorator_list
        ):
            continue
        seen, todo = set(), [function]
        while todo:
            one = todo.pop()
            seen.add(one.name)
            ended = {
                id(item.context_expr) for node in ast.walk(one) if isinstance(node, ast.With) for item in node.items
            }
            for call in (node for node in ast.walk(one) if isinstance(node, ast.Call) and id(node) not in ended):
                if _name(call.func) in STARTING:
                    yield f"{name}: {function.name} calls {ast.unparse(call.func)}"
                if _name(call.func) in functions.keys() - seen:
                    todo.append(functions[_name(call.func)])


# ---------------------------------------------------------------- records


def test_no_function_takes_more_than_six_arguments_by_place() -> None:
    found = []
    for name, tree in _trees(*ENGINE).items():
        for function in _functions(tree):
            taken = [
                one.arg for one in (*function.args.posonlyargs, *function.args.args) if one.arg not in ("self", "cls")
            ]
            if len(taken) > MOST_PARAMETERS and not name.endswith("/probes.py"):  # a probe's are inputs, given by name
                found.append(f"{name}: {function.name}")
    assert "\n".join(found) == ""


def test_no_call_gives_many_arguments_by_place() -> None:
    trees = _trees(*ENGINE)
    takes_any = {function.name for tree in trees.values() for function in _functions(tree) if function.args.vararg}
    found = []
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or _name(node.func) in takes_any | MANY_BY_PLACE:
                continue
            most = MOST_FIELDS_BY_PLACE if _name(node.func)[:1].isupper() else MOST_PARAMETERS
            if sum(not isinstance(one, ast.Starred) for one in node.args) > most:
                found.append(f"{name}:{node.lineno}: {ast.unparse(node.func)}")
    assert "\n".join(found) == ""


def test_what_other_modules_unpack_has_names() -> None:
    """A public function returns no tuple of more than two different things; many of the same kind are a sequence."""
    found = []
    for name, tree in _trees(*ENGINE).items():
        for function in _functions(tree):
            if function.name.startswith("_") or function.name in UNNAMED or function.returns is None:
                continue
            for node in ast.walk(function.returns):
                is_tuple = isinstance(node, ast.Subscript) and _name(node.value) == "tuple"
                if is_tuple and isinstance(node.slice, ast.Tuple) and len(node.slice.elts) > MOST_IN_A_TUPLE:  # type: ignore[attr-defined]
                    found.append(f"{name}: {function.name}")
    assert "\n".join(found) == ""


# ---------------------------------------------------------------- imports


def _imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _is_program(name: str, tree: ast.Module) -> bool:
    asks = (ast.unparse(node.test) for node in tree.body if isinstance(node, ast.If))
    return name.endswith("__main__.py") or any("__main__" in test for test in asks)


def test_no_program_is_imported_for_a_helper() -> None:
    trees = _trees(*ENGINE)
    programs = {
        Path(name).with_suffix("").as_posix().replace("/", ".")
        for name, tree in trees.items()
        if _is_program(name, tree)
    }
    assert len(programs) > 10
    assert [(name, one) for name, tree in trees.items() for one in sorted(_imports(tree) & programs)] == []


@pytest.mark.parametrize(
    ("floor", "above"),
    [
        ("utils", ("grader", "assignments", "tools", "tests")),
        ("grader", ("assignments", "tools", "tests")),
        ("assignments", ("tools", "tests")),
        ("tools", ("assignments", "tests")),
    ],
)
def test_imports_go_downwards(floor: str, above: tuple[str, ...]) -> None:
    found = [
        (name, one) for name, tree in _trees(floor).items() for one in _imports(tree) if one.split(".")[0] in above
    ]
    assert "\n".join(found) == ""


# ---------------------------------------------------------------- the rules themselves

SPOILT = """
import tempfile
from functools import cache

slot = 0
known = {}

def _begin(number):
    global slot
    slot = number

@cache
def grader():
    return _made()

def _made():
    return Grader().__enter__()
"""


def test_the_rules_find_what_they_look_for() -> None:
    tree = ast.parse(SPOILT)
    assert list(_state("m", tree, _changing())) == ["m: known", "m: slot"]
    assert list(_started_behind_a_cache("m", tree)) == ["m: grader calls Grader().__enter__", "m: grader calls Grader"]
    assert {"Sandboxes", "Workers", "OrderedDict"} <= _changing()
    assert "Verdict" not in _changing()
