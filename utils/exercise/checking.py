"""Checks of what carries no points: one line in green or red, and the notebook goes on."""

from types import TracebackType

from utils.exercise.expect import ExpectationError
from utils.exercise.waiting import waits

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"  # the terminal's green is too pale on white paper to be read by everybody
_LONGEST = 300  # characters of an error's own words


class checking:
    """Run checks of an exercise without points: `with checking("name", hint): expect_close(...)`.

    What does not hold, or stops with an error, is said in one red line with the hint, and nothing is raised: Run All
    goes on. An open gap, and a name that one keeps from being there, go through, so that the cell waits as others do.

    Args:
        name: What is checked, as the notebook calls it.
        hint: Where to look while it is red.
    """

    def __init__(self, name: str, hint: str) -> None:
        self._name, self._hint = name, hint

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            print(f"{_BOLD}Green.{_PLAIN} {self._name} does what it says.")
            return True
        if waits(error) or not isinstance(error, Exception):
            return False
        words = " ".join(str(error).split())[:_LONGEST]
        said = words if isinstance(error, ExpectationError) else f"{type(error).__name__}: {words}"
        print(f"{_BOLD}Red.{_PLAIN} {said} Look: {self._hint}")
        return True
