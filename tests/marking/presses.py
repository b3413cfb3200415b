"""Key presses and pointer moves for twenty answers of one question: here, with the CSV sheet, with formgrader.

    python -m tests.marking.presses        prints the table of docs/marking.md

Here they are counted in a real browser while a class is marked. The sheet's and formgrader's are worked out from the
steps that each asks for (`SHEET`, `FORMGRADER`), at their best: no wrong key, no search, nothing read twice. What is
given is the same: of twenty answers four are right, twelve have one usual fault of two, four have both; each fault is
said to the student in words.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.marking.browser import WHY_NOT, chromium, come_in, until
from tests.marking.classroom import PARTS, make_class
from tests.marking.running import Running

STUDENTS = 20
FAULTS = ("no step says which moment is used", "the sign of the log is wrong")
GIVEN = [(), (0,), (1,), (0, 1), (0,)] * 4  # the faults of each answer, in the order of marking
CHECK = PARTS[0][0]


@dataclass(frozen=True)
class Effort:
    """What hands do."""

    keys: int = 0
    pointer: int = 0  # moves to something and a click there, or a turn of the wheel

    def __add__(self, other: "Effort") -> "Effort":
        return Effort(self.keys + other.keys, self.pointer + other.pointer)

    def times(self, count: int) -> "Effort":
        return Effort(self.keys * count, self.pointer * count)


@dataclass(frozen=True)
class Step:
    """One thing that has to be done, and how often for the twenty."""

    what: str
    effort: Effort
    times: int


def _words_typed() -> int:
    """Characters of all faults said in words, where each is typed or pasted: the first time typed, then pasted (two keys)."""
    said = [fault for faults in GIVEN for fault in faults]
    return sum(len(FAULTS[fault]) for fault in set(said)) + 2 * (len(said) - len(set(said)))


_DIGITS = sum(len(str(10 - 2 * (0 in faults) - 3 * (1 in faults))) for faults in GIVEN)
SHEET = (
    Step("open the class page, unfold the question; open the sheet, go to the column", Effort(0, 4), 1),
    Step("scroll to the next answer", Effort(0, 1), STUDENTS),
    Step("to the sheet's window (Alt+Tab), Enter after the points, back (Alt+Tab)", Effort(5, 0), STUDENTS),
    Step("the points", Effort(_DIGITS, 0), 1),
)
# By formgrader's own keys: Tab goes to the next field, Control and point to the same field of the next submission.
FORMGRADER = (
    Step("Manual Grading, the assignment, the notebook, the first submission, the question's score", Effort(0, 5), 1),
    Step("the points", Effort(_DIGITS, 0), 1),
    Step("Tab to the comment", Effort(1, 0), STUDENTS - GIVEN.count(())),
    Step("the words: typed the first time, copied, then pasted", Effort(_words_typed() + 2 * 3, 0), 1),
    Step("next submission", Effort(2, 0), STUDENTS),
)


def total(steps: tuple[Step, ...]) -> Effort:
    return sum((step.effort.times(step.times) for step in steps), Effort())


def counted() -> Effort:
    """Mark the twenty in a browser; what was pressed and clicked on the way."""
    with tempfile.TemporaryDirectory(prefix="marking-") as place:
        folder = make_class(Path(place) / "results", STUDENTS, PARTS[:2], pictures=False)
        with Running(folder, "--colleague", "Ben") as running, chromium() as browser:
            page = come_in(browser, running.address)
            hands = _Hands(page)
            hands.click(f"a[href='/mark/{CHECK}']")
            page.wait_for_selector("article")
            for faults in GIVEN:
                _mark(page, hands, faults)
                page.wait_for_timeout(50)
                until(
                    page,
                    "document.getElementById('saved').textContent === '' && !document.querySelector('#total').textContent.startsWith('–')",
                )
                hands.press("n")
                _settle(page)
            (part, _) = running.client(running.colleagues[0]).get("overview")["parts"]
            assert part["done"] == STUDENTS, part
            assert abs(part["mean"] - sum(10 - 2 * (0 in f) - 3 * (1 in f) for f in GIVEN) / STUDENTS) < 1e-9
    return hands.effort


class _Hands:
    """Presses and clicks, counted."""

    def __init__(self, page) -> None:
        self.page, self.effort, self.known = page, Effort(), []

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.effort += Effort(keys=1)

    def type(self, words: str) -> None:
        self.page.keyboard.type(words)
        self.effort += Effort(keys=len(words))

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.effort += Effort(pointer=1)


def _mark(page, hands: _Hands, faults: tuple[int, ...]) -> None:
    for fault in faults:
        if fault in hands.known:
            hands.press(str(hands.known.index(fault) + 1))
        else:
            hands.press("a")
            hands.type(("2", "3")[fault])
            hands.press("Tab")
            hands.type(FAULTS[fault])
            hands.press("Enter")
            hands.known.append(fault)
            until(page, f"document.querySelectorAll('.item[aria-pressed]').length === {len(hands.known)}")
        page.wait_for_timeout(50)
        until(page, "document.getElementById('saved').textContent === ''")
    if not faults:
        hands.press("0")


def _settle(page) -> None:
    """Until the next answer is to be seen, or there is none."""
    until(
        page,
        "(document.querySelector('article')?.dataset.id === location.pathname.split('/')[3]"
        " && document.querySelector('#total').textContent.startsWith('–'))"
        " || document.getElementById('status').textContent.startsWith('Nothing else waits')",
    )


def table(here: Effort) -> str:
    rows = [
        ("this page, words for every fault", here),
        ("formgrader, words for every fault", total(FORMGRADER)),
        ("the CSV sheet, points only: it has no place for words", total(SHEET)),
    ]
    lines = ["| 20 answers of one question | key presses | pointer moves |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {effort.keys} | {effort.pointer} |" for what, effort in rows)])


def main() -> int:
    if WHY_NOT:
        print(WHY_NOT)
        return 1
    print(table(counted()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
