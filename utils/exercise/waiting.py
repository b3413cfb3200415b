"""Open gaps, and the cells below that wait for them: one sentence each, and Run All goes on to the end.

A cell that stops at an open gap has failed nowhere: it waits. So does a cell that reads a name which a waiting cell was to
define, also where something stands in it from before, such as a test's small model, and a cell that stops at one which a
waiting cell has half filled. The kernel calls them done, as otherwise Jupyter would drop every cell after the first gap.
"""

import ast
from collections.abc import Callable
from types import CodeType, TracebackType
from typing import Any

from utils.exercise.short_errors import is_open_gap

_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


class _Waiting:
    """What this kernel knows of cells that wait; the kernel holds it, among those it calls after a cell."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.names: dict[str, str] = {}  # a name that a waiting cell would have defined, and the gap it waits for
        self._namespace = namespace  # the kernel's
        self._left_over: set[str] = set()  # those of the names that still hold something from before
        self._before: dict[str, Any] = {}  # what the names that the running cell binds held at its start
        self._out_of_sight: dict[str, Any] = {}  # what is left over in names that the running cell reads
        self._source = ""  # of the running cell
        self._gap = ""  # what it waits for

    def show(
        self,
        shell: Any,
        kind: type[BaseException],
        error: Any,
        trace: TracebackType | None,
        tb_offset: int | None = None,
    ) -> None:
        """What IPython calls for an error."""
        missing = getattr(error, "name", None) if isinstance(error, NameError) else None
        name = next((name for name in (missing, *sorted(_read(self._source))) if name in self.names), None)
        if kind is NotImplementedError and is_open_gap(str(error)):
            self._gap = str(error)
            print(f"{_RED}Not yet.{_PLAIN} {error}. Fill it in, run its cell, then run this one again.")
        elif name is not None and missing in (None, name):
            self._gap = self.names[name]
            print(
                f"{_RED}Not yet.{_PLAIN} {name} comes from a cell above that waits: {self._gap}. "
                "Fill it in, then run the cells from there on."
            )
        else:
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
            if missing:
                print(
                    f"If a cell above defines {missing}, it has not run since the kernel started: "
                    "choose Run > Run All Above Selected Cell, then run this one again."
                )

    def note_start(self, info: Any) -> None:
        """What IPython calls before a cell."""
        self._source = info.raw_cell or ""
        self._before = {name: self._namespace[name] for name in _assigned(self._source) if name in self._namespace}
        unseen = [name for name in _read(self._source) if name in self._left_over and name in self._namespace]
        self._out_of_sight = {name: self._namespace.pop(name) for name in unseen}

    def note_end(self, result: Any) -> None:
        """What IPython calls after a cell: one that waits has not failed."""
        for name, value in self._out_of_sight.items():
            self._namespace.setdefault(name, value)
        before, self._before, self._out_of_sight = self._before, {}, {}
        gap, self._gap = self._gap, ""
        names = _assigned(self._source)
        if gap and result.error_in_exec is not None:
            result.error_in_exec = None
            self.names.update(dict.fromkeys(names, gap))
            self._left_over -= names
            self._left_over |= {name for name, value in before.items() if self._namespace.get(name, self) is value}
        elif result.success:
            self._left_over -= names
            for name in names:
                self.names.pop(name, None)


def go_on_past_gaps() -> None:
    """Ask the running IPython shell to say of an open gap what waits for it, and to go on; without a shell, do nothing."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None:
        return
    waiting = _waiting_of(shell)
    if waiting is None:  # the first cell may run twice
        waiting = _Waiting(shell.user_ns)
        shell.events.register("pre_run_cell", waiting.note_start)
        shell.events.register("post_run_cell", waiting.note_end)
    shell.set_custom_exc((Exception,), lambda shell, *told, **more: waiting.show(shell, *told, **more))


def waits(error: BaseException) -> bool:
    """Whether an error is an open gap's, or of a name that a cell which waits was to define."""
    if isinstance(error, NotImplementedError):
        return is_open_gap(str(error))
    if not isinstance(error, NameError):
        return False
    waiting = _waiting_here()
    return waiting is not None and error.name in waiting.names


def awaited(function: Callable[..., Any]) -> str:
    """What a function of a notebook waits for.

    Args:
        function: Written in a cell.

    Returns:
        A sentence, without its end, about the first name it reads that a cell which waits was to define, and about that
        one's gap; "" where nothing waits, and without a kernel.
    """
    waiting = _waiting_here()
    code = getattr(function, "__code__", None)
    if waiting is None or code is None:
        return ""
    name = next((name for name in _names_in(code) if name in waiting.names), "")
    return f"`{name}` comes from a cell above that waits: {waiting.names[name]}" if name else ""


def _names_in(code: CodeType) -> list[str]:
    within = [name for part in code.co_consts if isinstance(part, CodeType) for name in _names_in(part)]
    return [*code.co_names, *within]


def _waiting_here() -> _Waiting | None:
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    return _waiting_of(shell) if shell is not None else None


def _waiting_of(shell: Any) -> _Waiting | None:
    kept = (getattr(called, "__self__", None) for called in shell.events.callbacks["post_run_cell"])
    return next((owner for owner in kept if isinstance(owner, _Waiting)), None)


def _assigned(source: str) -> set[str]:
    """The names that a cell's own lines bind, those inside its functions and classes left out."""
    found: set[str] = set()
    nodes: list[ast.AST] = list(_body(source))
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            nodes += ast.iter_child_nodes(node)
    return found


def _read(source: str) -> set[str]:
    """The names that a cell reads and does not bind itself."""
    loaded = {
        node.id
        for statement in _body(source)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return loaded - _assigned(source)


def _body(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []
