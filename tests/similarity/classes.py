"""A made class: students who are independent by construction, and among them copies of known strength."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from grader.authoring.slips import load_slips, parse_variants
from grader.similarity.answers import Answers
from tests.mutants import solution_of
from tests.similarity import edits
from tests.similarity.styles import PHRASES, style, vocabulary
from utils.assignments import load_assignment
from utils.assignments.places import place_of


@dataclass(frozen=True)
class Kind:
    """How a copy was hidden; `share` of the questions are copied."""

    name: str
    share: float = 1.0


STRENGTHS = (
    Kind("verbatim"), Kind("renamed"), Kind("reordered"), Kind("comments changed"),
    Kind("loops rewritten"), Kind("half the questions", 0.5),
)  # fmt: skip
HELD_OUT = (
    Kind("dead code put in"), Kind("sides swapped"), Kind("variables inlined"),
    Kind("names translated"), Kind("lines split"), Kind("all of these at once"),
    Kind("helpers made"), Kind("operators as functions"),
)  # fmt: skip


@dataclass(frozen=True)
class MadeClass:
    """Students' answers, and which pairs are copies."""

    notebook: str
    students: tuple[Answers, ...]
    copies: dict[tuple[int, int], Kind]  # (source, copy), numbers of students


@cache
def answers_at_hand(notebook: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """For each task the right and the wrong answers there are."""
    solution = solution_of(notebook)
    right = parse_variants((place_of(notebook).path / "right.py").read_text(encoding="utf-8"))
    found = {}
    for task, cell in solution.items():
        others = [variant.cell(cell) for variant in right if variant.task == task]
        wrong = [variant.cell(cell) for variant in load_slips(notebook) if variant.task == task]
        found[task] = ((cell, *others), tuple(wrong))
    return found


def made_class(
    notebook: str, n: int, copies: list[Kind], seed: int, is_restyled: bool = True, crowding: float = 1.0
) -> MadeClass:
    """Draw a class.

    Args:
        notebook: The assignment.
        n: Students, the copies among them.
        copies: How each copy is hidden.
        seed: The same arguments give the same class.
        is_restyled: Whether each student writes in a hand of their own; else answers stand as published.
        crowding: How much the popular answers are preferred: the k-th is chosen k**-crowding as often as the first.
    """
    chance = random.Random(seed)
    assignment = load_assignment(notebook)
    keep = frozenset(
        word for task in assignment.tasks for word in (*edits.re.findall(r"\w+", task.untouched_source), *task.defines)
    )
    bank = {
        task: tuple(tuple(chance.sample(answers, len(answers))) for answers in both)
        for task, both in answers_at_hand(notebook).items()
    }
    students = [_student(f"student {k}", notebook, bank, keep, chance, is_restyled, crowding) for k in range(n)]
    planted: dict[tuple[int, int], Kind] = {}
    free = chance.sample(range(n), 2 * len(copies))
    for source, copy, kind in zip(free[::2], free[1::2], copies, strict=True):
        students[copy] = _copied(students[source], students[copy], kind, keep, chance)
        planted[source, copy] = kind
    return MadeClass(notebook, tuple(students), planted)


def _student(
    name: str,
    notebook: str,
    bank: dict,
    keep: frozenset[str],
    chance: random.Random,
    is_restyled: bool,
    crowding: float,
) -> Answers:
    ability = chance.betavariate(5, 2)
    hand = style(chance, keep)
    code, wrong = {}, set()
    for task, (rights, wrongs) in bank.items():
        is_right = chance.random() < ability
        if not is_right and chance.random() < 0.2:
            continue  # left open
        pool = rights if is_right else wrongs
        source = chance.choices(pool, [(k + 1) ** -crowding for k in range(len(pool))])[0]
        code[task] = hand.write(source, chance) if is_restyled else source
        if not is_right:
            wrong.add(task)
    return Answers(
        student=name, notebook=notebook, code=code, words={}, pictures={}, quiet=frozenset(), wrong=frozenset(wrong)
    )


def _copied(source: Answers, own: Answers, kind: Kind, keep: frozenset[str], chance: random.Random) -> Answers:
    tasks = chance.sample(sorted(source.code), round(len(source.code) * kind.share))
    hide = _disguise(kind.name, keep, chance)
    code = dict(own.code) if kind.share < 1 else {}
    wrong = set(own.wrong) if kind.share < 1 else set()
    for task in tasks:
        code[task] = hide(source.code[task], chance)
        wrong = wrong | {task} if task in source.wrong else wrong - {task}
    return replace(own, code=code, wrong=frozenset(wrong))


def _disguise(name: str, keep: frozenset[str], chance: random.Random) -> Callable[[str, random.Random], str]:
    rename = edits.renamed(vocabulary(chance), keep)
    comment = edits.commented(chance.sample(PHRASES, 12), 0.3)
    steps: dict[str, list[edits.Edit]] = {
        "verbatim": [],
        "renamed": [rename],
        "reordered": [edits.reordered],
        "comments changed": [edits.uncommented, comment, edits.spaced],
        "loops rewritten": [edits.loops_rewritten, rename, comment],
        "half the questions": [rename],
        "dead code put in": [edits.dead_code],
        "sides swapped": [edits.sides_swapped],
        "variables inlined": [edits.variables_inlined],
        "names translated": [edits.renamed(lambda random: random.choice(_TRANSLATED.split()), keep), edits.uncommented],
        "lines split": [edits.lines_split],
        "helpers made": [edits.helpers_made],
        "operators as functions": [edits.operators_as_functions],
        "all of these at once": [
            edits.dead_code, edits.sides_swapped, edits.variables_inlined, edits.lines_split, rename, comment,
        ],
    }  # fmt: skip

    def hide(source: str, chance: random.Random) -> str:
        for step in steps[name]:
            source = step(source, chance)
        return source

    return hide


_TRANSLATED = """
kerros kohina kuva summa keskiarvo vika syote tulos leveys askel arvo vrstva sum obraz soucet prumer ztrata vstup vystup krok
"""
