"""Layouts: whatever an instructor downloaded becomes a list of hand-ins, one a student or group.

tree         the files of a folder or a zip, by path; nothing is extracted to disk
platforms    Gradescope, Canvas, Moodle, nbgrader, plain: recognised by their names, each a function of the files
people       who is who: ids of known kinds, each looked up among its own
columns      which column of a list holds which kind; `roster` and `gradebooks` read lists by them
rows         whose row of a grade file a result belongs to; where there is doubt, nobody's
hand_ins     the record, what of it is graded, and what an earlier upload is
"""

from grader.platforms.collect import Collection, NothingToGrade, collect, missing
from grader.platforms.hand_ins import HandIn, content
from grader.platforms.people import Directory, Person
from grader.platforms.roster import read_roster

__all__ = [
    "Collection",
    "Directory",
    "HandIn",
    "NothingToGrade",
    "Person",
    "collect",
    "content",
    "missing",
    "read_roster",
]
