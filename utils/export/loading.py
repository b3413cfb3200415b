"""nbconvert, loaded without what it never asks for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_GRAMMAR = "rfc3987_syntax"


@contextmanager
def without_grammar() -> Iterator[None]:
    """While modules are imported: leave out the grammar of internationalised addresses.

    nbformat imports jsonschema, which imports the package if it is installed (JupyterLab brings it), which then makes a parser of its
    grammar: a second, two thirds of what a PDF takes to start. It is optional there and serves a format that the schema of notebooks does not
    name. None in its place is how Python says that a module is not there.
    """
    is_needed = _GRAMMAR not in sys.modules
    if is_needed:
        sys.modules[_GRAMMAR] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if is_needed:
            del sys.modules[_GRAMMAR]
