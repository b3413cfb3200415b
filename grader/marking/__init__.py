"""Marking: what a person gives, on a page in the browser, kept as events that nobody changes.

    results/*/results.json      what was graded          (read, never written)
             |  answers         the parts that wait for a person, each with a digest of text and pictures
             v
    results/marks.sqlite        what persons gave        (append-only events: who, when, on which digest)
             |  state           marks, rubric items, flags, shares: replayed from the events, kept nowhere else
             v
    given                       points, rubric items and comments as the reports show them

A mark names rubric items, not points: an item changed later moves everybody who has it. A mark belongs to a digest: an
answer handed in anew is open again, and the page shows the difference. Undo is an event as well.

The page (`server`, `page/`) shows strangers' texts and pictures. Text is rendered and then sanitised by a library
(`texts`), pictures are decoded and drawn anew (`pictures`), the policy in every header allows no script but our own
files (`guard`), and without a personal, one-time address nobody gets in (`people`).
"""

from grader.marking.given import Brought, Given, add_marks, marks_exist
from grader.marking.store import STORE, StoreError

__all__ = ["STORE", "Brought", "Given", "StoreError", "add_marks", "marks_exist"]
