"""Answers written from the students' notebooks alone, right ones in many styles and wrong ones as they come to mind: `right*.txt`, `wrong*.txt`.

    python -m tests.behaviour.written KIND FILE [--task TASK]

puts such answers of a file before the notebook's visible tests and before the grader, and prints right ones that lose points,
wrong ones that keep full marks, and green ones that lose points on public inputs. A new file is best written by somebody who
has seen neither checks nor slips.

`wrong_far_and_late.txt` are the 37 of 318 wrong answers to notebooks 1 and 2 that kept full marks when they came and were wrong.
Left out of it is what changes nothing that anybody could see or what the text leaves open: another order of equal draws, a draw
thrown away, `log_sig_x` as a plain number (its source takes one), a forward pass without noise in evaluation mode, the log of a
variance below 1e-38, a scheduler's step after the last iteration, a tenth of a standard deviation added to another (1.005 in all).

`wrong_second_trial.txt` are those that kept full marks when they came and were wrong, of 119 answers to notebooks 1 and 2, 216 to notebook 3 and
326 to notebook 4 by four writers who were asked to hide what is wrong. Left out are, beside the like
of the above, Adam's betas of the training in the search for codes, losses as numbers, what acts after 16 steps and later; of notebook 3
thirteen: gradients cleared behind the step instead of before it, a total put together from its terms, `decoder` for `decode`, the model's
own K, and the sigmoid and the cross-entropy by their formulas, which are not finite only where a pixel is sure to the last digit.

`open_second_trial.txt` are those of the 216 to notebook 3 that keep full marks still: results on the CPU whatever the device, what acts
behind 500 steps or beyond 1,000 examples.

`wrong_third_trial.txt` are those of notebooks 1 and 3 that kept full marks when they came and no longer do, of 353 to all notebooks by three
writers who hid what is wrong behind a condition; whoever wrote those to notebooks 1 and 2 tried them on the visible tests first. 178 are open:
they act on one argument alone where no other has a gradient, beyond a thousand examples, twenty epochs or exp(30), in evaluation
mode, on another device, or where two large numbers are subtracted.

`right_class.txt` and `wrong_class.txt` are what three writers thought that a class of forty hands in, nobody hiding anything: of 204 right
ones none lost a point; of 337 wrong ones five kept full marks, which are left out (no noise in evaluation mode, twice; losses as numbers, and
losses as tensors; Adam's betas of the training in the search for codes), and one was green.

The format is that of the slips; the first line of a task's cell is put before each answer.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from grader.authoring.slips import Variant, parse_variants
from grader.rubric import load_rubric
from grader.stages.pipeline import graded_assignments
from tests.mutants import solution_of

KINDS = "right", "wrong"
_HERE = Path(__file__).parent


def written(kind: str) -> Iterator[tuple[str, Variant]]:
    """The answers of a kind, "right" or "wrong", each behind the name of its notebook."""
    for path in sorted(_HERE.glob(f"{kind}*.txt")):
        yield from written_in(path)


def written_in(path: Path) -> Iterator[tuple[str, Variant]]:
    """The answers of a file, each a whole cell, behind the name of its notebook."""
    notebook_of = {check.task: name for name in graded_assignments() for check in load_rubric(name).checks}
    for variant in parse_variants(path.read_text(encoding="utf-8")):
        notebook = notebook_of[variant.task]
        tag = solution_of(notebook)[variant.task].splitlines()[0]
        yield notebook, replace(variant, source=f"{tag}\n{variant.source}")
