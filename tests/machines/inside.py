"""One machine: grade all answers, rebuild the references, and tell what came out and how near the lines it was.

Run as a program of its own by `tests.machines`, with the setting's environment.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from grader.authoring.check import load_checks
from grader.authoring.judges import excess, tolerance
from grader.authoring.lines import Distance, watched
from grader.authoring.slips import Variant, load_slips
from grader.records import Call, CellSource
from grader.report.results import is_for_a_person
from grader.rubric.draws import job_of
from grader.rubric.references import load_references
from grader.sandbox import box
from grader.stages.pipeline import Grader, graded_assignments
from tests.machines.models import measured
from tests.machines.settings import Setting, setting
from tests.mutants import failed_checks, solution_of
from tests.validity import right_answers
from tools.examples import build as build_example
from tools.examples import load_examples
from tools.references import build
from utils.assignments import load_assignment

SALT = "machines"
QUICK_SLIPS = 24  # every so manieth, in the quick form


def main(arguments: list[str]) -> None:
    chosen, is_quick = setting(arguments[0]), arguments[1] == "quick"
    if chosen.zygote:
        box.ZYGOTE = f"tests.machines.zygotes.{chosen.zygote}"
    out = Path(arguments[2])
    out.write_text(json.dumps(told(chosen, is_quick)), encoding="utf-8")


def told(chosen: Setting, is_quick: bool) -> dict:
    """Everything that is compared between machines, as plain data."""
    with Grader(salt=SALT, quality_seconds=0) as grader:
        names = graded_assignments()
        return {
            "machine": _computing_as(grader),
            "answers": {key: value for name in names for key, value in _answers(grader, name, is_quick)},
            "examples": {} if is_quick else _examples(grader),
            "models": measured(grader),
            "references": {name: _references(grader, name, is_quick) for name in names},
        }


# ---------------------------------------------------------------- answers


def _answers(grader: Grader, name: str, is_quick: bool) -> Iterator[tuple[str, dict]]:
    solution, slips, right = solution_of(name), load_slips(name), right_answers(name)
    if is_quick:
        slips, right = slips[::QUICK_SLIPS], right[::QUICK_SLIPS]
    else:
        right = (*right, *(Variant(task, "solution", "", source) for task, source in solution.items()))
    for variant in right:
        yield f"{name} right {variant.task} {variant.name}", _graded(grader, name, variant, solution)
    for slip in slips:
        yield f"{name} slip {slip.task} {slip.name}", _graded(grader, name, slip, solution)


def _graded(grader: Grader, name: str, variant: Variant, solution: dict[str, str]) -> dict:
    with watched() as seen:
        failed = failed_checks(grader, name, variant.task, variant.cell(solution[variant.task]))
    return {
        "task": variant.task,
        "name": variant.name,
        "refused": {verdict.check: [verdict.status, verdict.slip] for verdict in failed},
        "lines": furthest(
            [one for one in seen if one.check in {c.name for c in load_checks(name) if c.task == variant.task}]
        ),
    }


def furthest(seen: list[Distance]) -> list[list]:
    """Of each line of a check: its kind, the largest and the smallest ratio."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for one in seen:
        found.setdefault((one.check, one.line, one.kind), []).append(one.ratio)
    return [[*key, max(ratios), min(ratios)] for key, ratios in found.items()]


def _examples(grader: Grader) -> dict[str, list]:
    """Of each example: its verdicts, with the names of slips."""
    graded = {}
    for example in load_examples():
        file_name, data = build_example(example)
        report = grader.grade_bytes(data, file_name, example.student)
        graded[example.student] = [[v.check, v.status, v.slip] for v in report.verdicts if not is_for_a_person(v)]
    return graded


# ---------------------------------------------------------------- references


def _references(grader: Grader, name: str, is_quick: bool) -> dict:
    """The largest difference from what is stored over what the check allows, where it is, and a digest of all bits."""
    slips = load_slips(name)
    built = build(name, grader.box, slips[::QUICK_SLIPS] if is_quick else slips)
    stored, allowed = load_references(name), {check.name: tolerance(check) for check in load_checks(name)}
    kept = {(slip.task, slip.name): slip.outputs for slip in stored.slips}
    pairs = [("", built.outputs, stored.outputs)]
    pairs += [(f"{slip.name} ", slip.outputs, kept[slip.task, slip.name]) for slip in built.slips]
    worst = max(
        (excess(values, old.get(call, {}), *allowed[call.split("#")[0]]), f"{whose}{call}")
        for whose, new, old in pairs
        for call, values in new.items()
    )
    bits = hashlib.sha256()
    for call, values in built.outputs.items():
        for array in values.values():
            bits.update(call.encode() + np.ascontiguousarray(array).tobytes())
    return {"excess": worst[0], "where": worst[1], "bits": bits.hexdigest()[:8]}


_TELLS = """def D_KL(mu, logvar):
    torch.ones(40, 40) @ torch.ones(40, 40)
    words = f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} thread(s), inputs {mu.data_ptr() % 64} bytes off"
    return torch.tensor([ord(letter) for letter in words])
"""


def _computing_as(grader: Grader) -> str:
    """What the process that works out answers says of itself: an answer of ours asks it."""
    references = load_references("01_kl_divergence")
    inputs = references.inputs["kl.D_KL.values#public0"]
    call = Call("kl.D_KL.values#public0", "kl.D_KL", "D_KL", inputs, True)
    cells = (CellSource(0, _TELLS, ("kl.D_KL",)),)
    run = grader.box.run(job_of(load_assignment("01_kl_divergence"), cells, (call,)))
    return "".join(chr(int(letter)) for letter in run.runs[call.name].values["value"])


if __name__ == "__main__":
    main(sys.argv[1:])
