"""What Jupyter says to two things that every student meets: an open gap, and a cell that was run before those above it."""

from types import TracebackType
from typing import Any

_MARK = "still open"  # ends the message of every gap the notebooks are given out with


def is_open_gap(message: str) -> bool:
    """Whether a NotImplementedError with this message is a gap's own, and not a module's without `forward`, say."""
    return message.endswith(_MARK)


def shorten_open_gaps() -> None:
    """Ask the running IPython shell to show an open gap as one sentence, instead of a page of stack through the cells that
    use it, and to say what an unknown name may come from; without a shell, do nothing."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc((NotImplementedError, NameError), _show)


def _show(
    shell: Any, kind: type[BaseException], error: Any, trace: TracebackType | None, tb_offset: int | None = None
) -> None:
    if is_open_gap(str(error)):
        # IPython asks an exception for its own rendering before it formats the stack.
        error._render_traceback_ = lambda: [f"Not yet. {error}. Fill it in, run its cell, then run this one again."]
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    if isinstance(error, NameError) and error.name:
        print(
            f"If a cell above defines {error.name}, it has not run since the kernel started: "
            "choose Run > Run All Above Selected Cell, then run this one again."
        )
