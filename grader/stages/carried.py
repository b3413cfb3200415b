"""Error carried forward: one fault has one price, also where a later answer calls the one that has it.

Where a check does not hold and the answer calls earlier ones, it is asked again in another process, see `tried`, with stand-ins
of the grader's own under the earlier names (`STAND_INS` of the notebook's probes). A stand-in is no solution: it is
another function, whose values the grader knows, because the reference solution is asked with the same stand-in. What
then holds earns its points.

The second process may know what the first was sent. So nothing that it says is told, no status, text or time, only whether its
values hold.
"""

from collections.abc import Iterable
from dataclasses import replace

from grader.authoring.check import Arrays
from grader.records import Call, Reading, SandboxRun, Verdict
from grader.rubric import Rubric
from grader.rubric.draws import FreshReferences
from grader.sandbox.box import Box
from grader.stages.sentences import about_task, join
from grader.stages.spoilt import Answer, spoilt_answers
from grader.stages.tried import Held, Trial, Trier


class Carrier:
    """Asks answers again with stand-ins; what the reference solution returns with them is worked out once."""

    def __init__(self, box: Box, fresh: FreshReferences) -> None:
        self._box, self._fresh = box, fresh
        self._known: dict[tuple, Arrays] = {}

    def carry(
        self, verdicts: tuple[Verdict, ...], rubric: Rubric, reading: Reading, run: SandboxRun, asked: tuple[Call, ...],
        seed: int,
    ) -> tuple[Verdict, ...]:  # fmt: skip
        """Judge again what an earlier answer spoils.

        All answers are tried in one process: first without what is known to be at fault, then, where that does not help, without
        anything that they call.

        Args:
            verdicts: Of all checks, from `compare`.
            rubric: Checks and reference values.
            reading: What was found in the notebook.
            run: What the sandbox returned the first time.
            asked: All calls, public and drawn.
            seed: Of the drawn ones.
        """
        answers = spoilt_answers(verdicts, rubric, reading, run)
        trier = Trier(
            box=self._box,
            known=self._known,
            draws=self._fresh.known(rubric),
            rubric=rubric,
            reading=reading,
            run=run,
            asked=asked,
            seed=seed,
        )
        first = trier.held([Trial(one, one.attempts[0], one.failed) for one in answers if one.attempts])
        left = {trial.answer: trial.answer.failed - held for trial, held in first.items()}
        again = [one for one in left if left[one] and len(one.attempts) > 1]
        held = first | trier.held([Trial(one, one.attempts[1], left[one]) for one in again])
        return _settled(verdicts, answers, trier.narrowed(held))


def _settled(verdicts: tuple[Verdict, ...], answers: list[Answer], held: Held) -> tuple[Verdict, ...]:
    """The verdicts, with what holds passed, and with a word on what was tried."""
    kept = list(verdicts)
    place = {verdict.check: n for n, verdict in enumerate(kept)}
    for answer in answers:
        failed = set(answer.failed)
        for trial in (trial for trial in held if trial.answer is answer and held[trial]):
            if not answer.is_known(trial.names):
                _tell_where(kept, answer, trial.names, {kept[place[check]].status for check in held[trial]})
            for check in held[trial]:
                failed.remove(check)
                kept[place[check]] = _passed(answer, kept[place[check]], trial.names)
        for check in failed:
            kept[place[check]] = replace(
                kept[place[check]], sentence=join(kept[place[check]].sentence, _remark(answer))
            )
    return tuple(kept)


def _passed(answer: Answer, verdict: Verdict, names: tuple[str, ...]) -> Verdict:
    """The verdict of a check that holds with stand-ins."""
    where = f"{about_task(answer.task, answer.reading.sources[answer.task].cell)}: {verdict.title}"
    sentence = (
        f"{where}. Asked with a stand-in for your {_list(names)}, which did not pass: that costs nothing here"
        if answer.is_known(names)
        else f"{where}. Asked with a stand-in for your {_list(names)}: with yours it does not hold, so look there"
    )
    return replace(verdict, status="passed", points=verdict.max_points, sentence=join(sentence), slip="")


def _remark(answer: Answer) -> str:
    """What an answer that does not hold with stand-ins either is told of those it calls."""
    spoilt = [name for task in answer.rubric.assignment.tasks if task.id in answer.spoilt for name in task.defines]
    used = answer.used(dict.fromkeys(spoilt))
    if not used:
        return ""
    called = f"It calls your {_list(used)}, which did not pass"
    if answer.can_run and set(used) <= set(answer.rubric.may_call.get(answer.task, ())):
        return f"{called}, but with a stand-in in its place this does not hold either"
    return f"{called}: mend that first"


def _tell_where(verdicts: list[Verdict], answer: Answer, names: tuple[str, ...], statuses: set[str]) -> None:
    """Name a fault of an answer that passed, where it is: at the first of its checks."""
    for name in names:
        for task in answer.earlier(name):
            first = next(n for n, verdict in enumerate(verdicts) if verdict.task == task)
            said = (
                f"{answer.task} calls it with other shapes than these checks, and it stops there"
                if "raised" in statuses
                else f"Called by {answer.task} with inputs that these checks do not have, it returns something else than it should"
            )
            verdicts[first] = replace(verdicts[first], sentence=join(verdicts[first].sentence, said))


def _list(names: Iterable[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)
