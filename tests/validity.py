"""Grade the grader: every autograded question with right answers, wrong ones and mutants, as docs/validity.md.

    python -m tests.validity [NAME ...] [--workers N]

Right answers (the reference solution and those in `right.py` of the assignment) must pass, wrong ones (`slips.py`) must fail
and be named, mutants (tests.mutants) must be killed or explained. The document is written all the same; the run fails if one is not.
"""

import argparse
import re
import sys
from dataclasses import dataclass

from grader.authoring.slips import Variant, load_slips, parse_variants
from grader.records import Verdict
from grader.stages.pipeline import graded_assignments
from tests.explanations import Explanation, explanations, left_open
from tests.mutants import Outcome, all_mutants, graded_answers, solution_of, watched
from tests.one_price import HEADING, Price, faults_of, merged, prices, table
from utils.assignments import Task, load_assignment
from utils.assignments.course import add_course_option, enter_course
from utils.assignments.places import place_of, this_course

_NOTEBOOK = re.compile(r"^## (\S+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_KEPT = re.compile(  # `tests.behaviour` and `tests.green` write them
    r"^## (?:Behavioural mutants|Notebook against grader)\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
_PRICES = re.compile(rf"^{HEADING}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_COLUMNS = (
    "questions tried", "right answers passed", "wrong answers refused", "of them named", "mutants killed", "survivors explained",
)  # fmt: skip
REFERENCE = "the reference solution"

_INTRODUCTION = """\
# Validity

*Written by `python -m tests.validity`. Each line below is the outcome of answers that went through the whole grader, sandbox and all.*

A grader errs in two ways: it refuses a right answer, or it gives a wrong one full marks. Each autograded question is
therefore tried with

- **right answers** written in different ways: the reference solution and those of the assignment's `right.py`;
- **wrong answers** that students are known to give (`slips.py`): each must be refused, and the feedback must name the slip;
- **mutants**: the reference solution with one thing changed (an operator, a term, a constant, an axis, a reduction, a sign, a
  comparison, the order of arguments, a call, keyword or statement left out, one name for its twin), made over its syntax tree.
  A mutant is *killed* when a check of its own question refuses it. One that survives is listed with the reason why it is no
  wrong answer, as it stands in `survivors.yaml`; `python -m tests.mutants NAME` finds those that lack one.

What this does not show: mutants change one place at a time, and leave signatures and text alone; the sandbox has no device but the
CPU, so what goes wrong only beside another device survives, and says so.
"""


@dataclass(frozen=True)
class Tried:
    """One question: each answer with the verdicts of the checks that refuse it."""

    task: Task
    right: dict[str, list[Verdict]]
    wrong: dict[str, list[Verdict]]
    mutants: list[Outcome]
    explained: list[Explanation]

    @property
    def faults(self) -> list[str]:
        """Right answers refused, wrong ones accepted or not named, as sentences."""
        refused = {name: verdicts for name, verdicts in self.wrong.items() if verdicts}
        return [
            *(
                f"{self.task.id}: the right answer {name} is refused: {v[0].sentence}"
                for name, v in self.right.items()
                if v
            ),
            *(f"{self.task.id}: the wrong answer {name} gets full marks" for name in self.wrong if name not in refused),
            *(f"{self.task.id}: the slip {name} is not named" for name, v in refused.items() if not is_named(name, v)),
        ]


def is_named(slip: str, refused: list[Verdict]) -> bool:
    return slip in {verdict.slip for verdict in refused}


def right_answers(name: str) -> tuple[Variant, ...]:
    """The further right answers of a notebook."""
    return parse_variants((place_of(name).path / "right.py").read_text(encoding="utf-8"))


def tried(name: str, workers: int = 1) -> list[Tried]:
    """Grade everything there is about a notebook, question by question."""
    solution = solution_of(name)
    right, wrong = right_answers(name), load_slips(name)
    answers = [(variant.task, variant.cell(solution[variant.task])) for variant in (*right, *wrong)]
    answers += [(task, "") for task in solution]
    refused = list(graded_answers(name, answers, workers))
    of_right = list(zip(right, refused[: len(right)], strict=True))
    of_wrong = list(zip(wrong, refused[len(right) : len(right) + len(wrong)], strict=True))
    of_reference = dict(zip(solution, refused[len(right) + len(wrong) :], strict=True))
    outcomes = watched(name, all_mutants(name), workers)
    return [
        Tried(
            task,
            {REFERENCE: of_reference[task.id]} | {v.name: refused for v, refused in of_right if v.task == task.id},
            {v.name: refused for v, refused in of_wrong if v.task == task.id},
            [outcome for outcome in outcomes if outcome.mutant.task == task.id],
            [one for one in explanations(name) if one.task == task.id],
        )
        for task in load_assignment(name).tasks
    ]


# ---------------------------------------------------------------- the document


def document(questions: dict[str, list[Tried]], before: str = "", priced: str = "") -> str:
    """The outcomes as Markdown; the same outcomes give the same bytes.

    Args:
        questions: Of the notebooks that were tried.
        before: The document as it was: notebooks that were not tried keep their part of it.
        priced: What a fault costs elsewhere, see `tests.one_price`; as it was if "".
    """
    parts = {name: text for name, text in _NOTEBOOK.findall(before) if name not in questions}
    parts |= {name: "\n\n".join([_summary(_counts(asked)), *map(_section, asked)]) for name, asked in questions.items()}
    names = sorted(parts)
    counts = [_read_counts(parts[name]) for name in names]
    total = [(sum(a), sum(b)) for a, b in (zip(*column, strict=True) for column in zip(*counts, strict=True))]
    head = [f"| notebook | {' | '.join(_COLUMNS)} |", f"|---{'|---:' * len(_COLUMNS)}|"]
    rows = [*head, *(_row(name, own) for name, own in zip(names, counts, strict=True)), _row("**all**", total)]
    sections = [f"## {name}\n\n{parts[name].strip()}" for name in names]
    prices_before = _PRICES.search(before)
    priced = priced or (prices_before[0].strip() if prices_before else "")
    kept = [text.strip() for text in _KEPT.findall(before)]
    return "\n\n".join([_INTRODUCTION.strip(), "\n".join(rows), *([priced] if priced else []), *kept, *sections]) + "\n"


def _counts(asked: list[Tried]) -> list[tuple[int, int]]:
    """For each column of the table: how many, of how many."""
    right = [refused for one in asked for refused in one.right.values()]
    wrong = [(slip, refused) for one in asked for slip, refused in one.wrong.items()]
    mutants = [outcome for one in asked for outcome in one.mutants]
    killed = sum(outcome.is_killed for outcome in mutants)
    return [
        (len(asked), len(asked)),
        (sum(not refused for refused in right), len(right)),
        (sum(bool(refused) for _, refused in wrong), len(wrong)),
        (sum(is_named(slip, refused) for slip, refused in wrong), len(wrong)),
        (killed, len(mutants)),
        (sum(len(one.explained) for one in asked), len(mutants) - killed),
    ]


def _row(name: str, counts: list[tuple[int, int]]) -> str:
    return f"| {name} | {counts[0][1]} | {' | '.join(f'{some} of {every}' for some, every in counts[1:])} |"


def _summary(counts: list[tuple[int, int]]) -> str:
    said = (f"{some} of {every} {what}" for (some, every), what in zip(counts, _COLUMNS, strict=True))
    return f"{', '.join(said)}."


def _read_counts(part: str) -> list[tuple[int, int]]:
    """The counts of a notebook, from the summary its part begins with."""
    summary = part.strip().splitlines()[0]
    return [(int(some), int(every)) for some, every in re.findall(r"(\d+) of (\d+) ", summary)]


def _section(one: Tried) -> str:
    refused = [f"{name} is refused" for name, verdicts in one.right.items() if verdicts]
    lines = [heading(one.task), "", right_line(list(one.right), refused), "",
             "| wrong answer | verdict | first check that refuses it | named |", "|---|---|---|---|"]  # fmt: skip
    lines += [_wrong_row(name, verdicts) for name, verdicts in one.wrong.items()]
    killed = sum(outcome.is_killed for outcome in one.mutants)
    lines += ["", mutants_line(len(one.mutants), killed, len(one.explained)), ""]
    lines += [survivor_line(explanation) for explanation in one.explained]
    return "\n".join(lines).strip()


def heading(task: Task) -> str:
    return f"### `{task.id}`, {task.points:g} {'point' if task.points == 1 else 'points'}"


def right_line(names: list[str], refused: list[str]) -> str:
    shown = ", ".join(name if name == REFERENCE else f"`{name}`" for name in names)
    return f"Right, {'; '.join(refused) or 'all passed'}: {shown}."


def _wrong_row(name: str, refused: list[Verdict]) -> str:
    status, check = (refused[0].status, f"`{refused[0].check}`") if refused else ("**passed**", "")
    return f"| `{name}` | {status} | {check} | {'yes' if is_named(name, refused) else '**no**'} |"


def mutants_line(total: int, killed: int, explained: int) -> str:
    share = f"Mutants: {killed} of {total} killed ({killed / total:.0%})"
    rest = total - killed
    if not rest:
        return f"{share}."
    return f"{share}; {'' if explained == rest else f'{explained} of '}the other {rest} explained:"


def survivor_line(one: Explanation) -> str:
    change = f"`{one.was}` → `{one.becomes}`" if one.becomes else f"without `{one.was}`"
    return f"- {change}{f' (place {one.nth})' if one.nth > 1 else ''}: {one.because}"


def main(arguments: list[str] | None = None) -> int:
    """Write the document; 1 if the grader erred or a survivor is unexplained."""
    arguments, path = enter_course(arguments), this_course().root / "docs" / "validity.md"
    parser = argparse.ArgumentParser(
        prog="python -m tests.validity", description="Grade the grader; write docs/validity.md."
    )
    parser.add_argument("names", nargs="*", help="notebooks; default: all. The others keep their part of the document")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only-prices", action="store_true", help="what a fault costs elsewhere, and nothing else")
    add_course_option(parser)
    options = parser.parse_args(arguments)
    names = options.names or graded_assignments()
    questions = {} if options.only_prices else {name: tried(name, options.workers) for name in names}
    several = [name for name in names if len(load_assignment(name).tasks) > 1]  # one task has no others to harm
    paid: dict[str, list[Price]] = {name: list(prices(name, faults_of(name), options.workers)) for name in several}
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    kept = _PRICES.search(before)
    priced = merged(kept[0] if kept else "", table(paid))
    path.parent.mkdir(exist_ok=True)
    path.write_text(document(questions, before, priced), encoding="utf-8")
    elsewhere = [price for of_notebook in paid.values() for price in of_notebook if price.elsewhere]
    faults = [f"{price.fault.task}: {price.fault.name} costs {price.elsewhere} elsewhere" for price in elsewhere]
    faults += [fault for asked in questions.values() for one in asked for fault in one.faults]
    for name, asked in questions.items():
        survivors = [outcome.mutant for one in asked for outcome in one.mutants if not outcome.is_killed]
        unexplained, stale = left_open(name, survivors, {one.task.id for one in asked})
        faults += [
            f"{mutant.task}: survives unexplained: `{mutant.was}` -> `{mutant.becomes}`" for mutant in unexplained
        ]
        faults += [f"{one.task}: explained, but no survivor: `{one.was}` -> `{one.becomes}`" for one in stale]
    print("\n".join(faults) or f"docs/validity.md: {sum(map(len, questions.values()))} questions, nothing to mend")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
