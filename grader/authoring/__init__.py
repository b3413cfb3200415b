"""All that an author of an assignment imports: `from grader.authoring import Check, Probe, close`.

The examples below are run by the tests. An assignment asks, for each task of its notebook, one or more checks. A **check**
joins a probe, which says what to call and with which inputs, to a judge, which says what must hold of the values that come back.

>>> import numpy as np
>>> from grader.authoring import Check, Probe, Symptom, alike, close, differs, within

**Draws.** Inputs are drawn from a generator: twice once and for all (`public`; what goes wrong with them is told in full) and once
for each submission (`fresh`; only whether they hold is told). A draw is a function from the generator to named arrays.

>>> def table(rng):
...     return {"x": rng.normal(size=(5, 2))}

**Probes.** `Probe` names a function of the assignment's `probes.py`; it is called in the student's process with those arrays, as
torch tensors where `about.toml` declares torch and as numpy arrays elsewhere, and returns named values.

>>> def total(names, x):                       # stands in probes.py
...     return {"value": names["total"](x)}

**Judges.** A judge takes the values, those of the reference solution and the inputs, and returns None where the check holds, else a
`Symptom`: the middle of a sentence for the student. `close()` compares shape, kind, finiteness and values.

>>> check = Check("sums.total.values", "sums.total", "the sum of all elements", 3, Probe("total", table), close())
>>> right, wrong = {"value": np.array(3.0)}, {"value": np.array(3.5)}
>>> check.judge(right, right, {}) is None
True
>>> check.judge(wrong, right, {}).text
'value differs from the expected one: largest error 0.5, allowed 1e-05 + 1e-04 of the value'

Where right answers differ, a judge of one's own works from the inputs alone, with `uses_reference=False`; a `Symptom` may name the
slip that it shows. It believes nothing about the values but that they are arrays.

>>> def unit_mean(values, reference, inputs):
...     if values["z"].shape != inputs["x"].shape:
...         return Symptom("z has another shape than x")
...     mean = values["z"].mean(axis=0)
...     return None if within(np.abs(mean), 1e-6, "mean") else Symptom("the columns' means are not 0", slip="not_centred")
>>> unit_mean({"z": np.ones((5, 2))}, {}, {"x": np.ones((5, 2))})
Symptom(text="the columns' means are not 0", slip='not_centred')

**Tools for judges.** Every comparison with a tolerance is made by `within` or `beyond`, or `explained` for statistics of samples, and has a
name, so that it can be watched (`grader.authoring.lines`). `alike` says whether two arrays are the same numbers but for rounding, `differs`
what separates one from another.

>>> alike(np.array([1.0, 2.0]), np.array([1.0, 2.000001]), "same rows")
True
>>> differs("z", np.zeros(3), np.zeros(2), rtol=1e-4, atol=1e-5)
'z has shape (3,), expected (2,)'

**Gradients, optimizers.** `close_gradients` judges what `grader.probe_kit.tools.gradients` returns in a probe; `adam_path` works out
where Adam takes parameters. **Stand-ins** that a probe hands to an answer in place of a network, a data set or an optimizer live in
`grader.probe_kit`, which a student's process may read.

**Answers that call earlier ones.** Who got an earlier task wrong is not to pay twice. `CALLS`, a table of `checks.py`, names for a task the
earlier functions that its answer may call; `STAND_INS`, a table of `probes.py`, has for each of them another function of the same shape,
which is no solution. Where the task's checks do not hold, they are asked again with the stand-ins, and what holds then costs nothing.

>>> CALLS = {"sums.share": ("total",)}                    # stands in checks.py
>>> STAND_INS = {"total": lambda x: 2.0 * x.sum()}        # in probes.py: not the sum, but as good to call
>>> def share(x, total):                                  # an answer to sums.share, right whatever total returns
...     return x / total(x)
>>> share(np.array([1.0, 3.0]), STAND_INS["total"]).tolist()
[0.125, 0.375]

**Contracts.** `CONTRACTS`, a second table, says beside a task's checks what holds for every call of its functions: arguments stay as they
are, answers are new tensors, generator, gradients and models are left alone (`grader.authoring.contract`). It is asked where torch is.

**Quality.** A part that is graded by training the student's model again is declared as `[quality]` in `about.toml`, with the module that
scores it and its budget in CPU seconds; `grader.authoring.trained_again` says what the module has, `CannotTrain` what it raises.

**Trained weights.** Shares of points that are measured on what a student trained are declared as `[weights]` in `about.toml`: the file, the
models in it, each with the tasks that it is made with and its number of parameters, and the module that measures; `grader.authoring.trained`
says what that module has. The notebook writes the file with `save_weights`.

**Usual wrong answers** are no code: `slips.py` holds them as text (`grader.authoring.slips`).

A mistake in any of this is answered with the file, the line and the next step:

>>> Check("sums.total.values", "sums.total", "the sum", "three", Probe("total", table), close())
Traceback (most recent call last):
    ...
TypeError: points is 'three'; give Check a number above 0
"""

from grader.authoring.adam import adam_path
from grader.authoring.check import Arrays, Check, Draw, Judge, Probe, Symptom
from grader.authoring.contract import Contract, Sizes
from grader.authoring.judges import alike, close, close_gradients, differs
from grader.authoring.lines import beyond, explained, within
from grader.authoring.noise import not_standard_normal
from grader.authoring.trained_again import CannotTrain

__all__ = [
    "Arrays", "CannotTrain", "Check", "Contract", "Draw", "Judge", "Probe", "Sizes", "Symptom", "adam_path", "alike", "beyond", "close",
    "close_gradients", "differs", "explained", "not_standard_normal", "within",
]  # fmt: skip
