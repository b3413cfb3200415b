"""What trained models were found to be worth becomes verdicts: of one that was trained again, and of handed-in weights.

One fault has one price. Handed-in weights that were trained with an answer which lost points of its own may be bad for that reason alone, and
nobody can train them anew without the fault. So what they lack is not charged a second time: a person looks. What they earn, they earn.
"""

from collections.abc import Iterable
from dataclasses import replace

from grader.records import Measured, Verdict
from grader.stages.sentences import join

_NOT_A_FAULT = ("passed", "manual", "missing")  # an answer that is not there has trained nothing


def add_measured(verdicts: tuple[Verdict, ...], measured: Iterable[Measured]) -> tuple[Verdict, ...]:
    """The verdicts of a submission, with what its models are worth.

    Args:
        verdicts: Of all its checks.
        measured: In the order in which their sentences are to stand, where a check has several.

    Returns:
        The same checks, in their order.
    """
    faulty = {verdict.task for verdict in verdicts if verdict.status not in _NOT_A_FAULT}
    kept = {verdict.check: verdict for verdict in verdicts}
    for found in measured:
        if found.check in kept:
            kept[found.check] = _with(kept[found.check], _charged_once(found, faulty))
    return tuple(kept.values())


def _charged_once(found: Measured, faulty: set[str]) -> Measured:
    """What is found, or a person's to settle where a fault that has been paid for may be the reason."""
    paid = [task for task in found.made_with if task in faulty]
    if not paid or found.status in (*_NOT_A_FAULT, Measured.TOLD):
        return found
    reason = f"this model was trained with {' and '.join(paid)}, where points are lost already and not again"
    return replace(
        found, status="manual", points=0.0, text=join(found.text, f"But {reason}: a person looks at your picture")
    )


def _with(verdict: Verdict, found: Measured) -> Verdict:
    if found.status == Measured.TOLD:
        text = f"{found.text[:1].upper()}{found.text[1:]}"
        return replace(verdict, sentence=join(verdict.sentence, text), figure=verdict.figure or found.figure)
    sentence = join(f"{verdict.task}: {found.text}")
    return replace(verdict, status=found.status, sentence=sentence, points=found.points, figure=found.figure)
