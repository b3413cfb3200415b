"""A class list: a CSV file with a heading, as the platforms export it, or of one's own making."""

from pathlib import Path

from grader.platforms.columns import DoubledColumn, person_in, roles_of
from grader.platforms.people import Directory
from grader.platforms.tables import TableError, read_table
from utils.notebook.printable import printable


class RosterError(ValueError):
    """The roster cannot be used; the message is one sentence."""


def read_roster(path: Path) -> Directory:
    """Read a class list.

    Args:
        path: The file; columns are recognised by their headings: name, or first and last name; email; ids, each of its
            kind; group; hand-in, where somebody says whose a hand-in is.

    Raises:
        RosterError: If it cannot be read or names nobody.
    """
    try:
        table = read_table(path)
        rows = [table.cells(row) for row in table.rows[1:]]
        roles = roles_of(table.header, rows)
    except (TableError, DoubledColumn) as error:
        raise RosterError(f"The roster {path} cannot be read ({error}): give a CSV file in UTF-8.") from None
    people = [person for row in rows if (person := person_in(row, roles)) is not None]
    if not people:
        headings = printable(", ".join(filter(None, table.header)))[:200] if rows else "no line below a heading"
        raise RosterError(f"The roster {path} names nobody (found: {headings}): it needs a column `name` or `email`.")
    return Directory(people)
