"""Bugs to find, and what goes further: the check is red for what students get, green when it is done, and Run All goes on.

Each function is also mended in other ways, which pass, and taken through every mutant of its right form, of which few may.
"""

import ast
import contextlib
import io
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch

import utils
from tests.claims.cells import names_of
from tests.mutator import mutants_of
from tools.bugs import CHECK, FIRST_LINE, MARK, faults_of
from tools.notebook_source import NotebookSource, SourceCell, read_source, source_names
from tools.notebooks import solved_notebook, student_notebook
from tools.open_gaps import keep_solutions, open_gaps
from utils.assignments.places import place_of
from utils.submission.findings import GO_FURTHER

HELPERS = ("checking", "expect_close", "expect_equal", "expect_shape", "expect_true")


def exercises(name: str) -> list[tuple[SourceCell, SourceCell]]:
    """The cells without points, each with its check."""
    code = [cell for cell in read_source(name).cells if cell.kind == "code"]
    return [(cell, check) for cell, check in pairwise(code) if cell.first_line in (FIRST_LINE, GO_FURTHER)]


EXERCISES = [(name, cell, check) for name in source_names() for cell, check in exercises(name)]


def word(cell: SourceCell) -> str:
    return next(node.name for node in ast.parse(cell.text).body if isinstance(node, ast.FunctionDef))


each = pytest.mark.parametrize(("name", "cell", "check"), EXERCISES, ids=[word(cell) for _, cell, _ in EXERCISES])


@cache
def _names(name: str) -> dict:
    names = names_of(place_of(name).folder)
    names |= {helper: getattr(utils, helper) for helper in HELPERS} | {"AirfoilDataset": utils.AirfoilDataset}
    if "VAE" in names and "train_VAE" in names:  # what the check of notebook 2 shows beside what it checks
        data = utils.AirfoilDataset()
        names |= {
            "model": names["VAE"](200, [8], 10),
            "mu": torch.randn(len(data), 10),
            "thickness": np.linspace(5, 20, len(data)),
            "dataset": data,
        }
    return names


def said(name: str, answer: str, check: SourceCell) -> str:
    """What the check prints below an answer."""
    names, out = dict(_names(name)), io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(answer, "<answer>", "exec"), names)
        exec(compile(check.text, "<check>", "exec"), names)
    return out.getvalue()


def test_there_are_five_bugs_and_a_way_on_in_every_notebook():
    assert sum(cell.first_line == FIRST_LINE for _, cell, _ in EXERCISES) == 5
    for name in source_names():
        assert [cell.first_line for cell, _ in exercises(name)].count(GO_FURTHER) == 1


@each
def test_what_students_get_is_red_or_waits(name, cell, check):
    given = open_gaps(cell, "go further")
    assert MARK not in given
    assert MARK not in keep_solutions(cell)
    if cell.first_line == GO_FURTHER:
        with pytest.raises(NotImplementedError, match="go further: this gap is still open"):
            said(name, given, check)
        return
    printed = said(name, given, check)
    assert "Red." in printed
    assert "Look:" in printed
    assert "Green." not in printed


@each
def test_the_solved_one_is_green(name, cell, check):
    assert "Green." in said(name, keep_solutions(cell), check)


VARIANTS = {
    "fit_by_kl": [
        ("kl_divergence(mu, logvar / 2, *target).sum()", "kl_divergence(mu, 0.5 * logvar, *target)[0]"),
        ("kl_divergence(mu, logvar / 2, *target).sum()", "kl_divergence(mu, logvar.exp().sqrt().log(), target[0], target[1]).mean()"),
        ("kl_divergence(mu, logvar / 2, *target).sum()", "D_KL(((mu - mu_p) / sigma_p)[None], (logvar - 2 * math.log(sigma_p))[None])"),
    ],
    "first_direction": [
        (
            "        optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()",
            "        loss.backward()\n        optimizer.step()\n        optimizer.zero_grad()",
        ),
        ("        optimizer.zero_grad()\n        loss.backward()", "        (w.grad,) = torch.autograd.grad(loss, [w])"),
    ],
    "fit_posterior": [
        ("(rec_loss + beta * kl_loss).backward()", "rec_loss.backward()\n        (beta * kl_loss).backward()"),
        ("(rec_loss + beta * kl_loss).backward()", "total = torch.stack([rec_loss, kl_loss]) @ torch.tensor([1.0, beta])\n        total.backward()"),
    ],
    "count_classes": [
        ("torch.cat([z, idx2onehot(asked, num_classes)], dim=1)", "torch.hstack((z, torch.eye(num_classes)[asked]))"),
        ("torch.cat([z, idx2onehot(asked, num_classes)], dim=1)", "torch.cat([idx2onehot(asked, num_classes), z], dim=1).roll(-num_classes, 1)"),
    ],
    "called_right": [
        ("((logits > 0) == is_real)", "((logits.sigmoid() > 0.5) == is_real)"),
        ("((logits > 0) == is_real)", "(logits.flatten() >= 0 if is_real else logits.flatten() <= 0)"),
    ],
    "iw_bound": [
        ("math.log(num_samples) - log_w.logsumexp(1)", "-(torch.logsumexp(log_w - math.log(num_samples), dim=-1))"),
        ("math.log(num_samples) - log_w.logsumexp(1)", "-(log_w.max(1).values + (log_w - log_w.max(1, keepdim=True).values).exp().mean(1).log())"),
    ],
    "move_to_thickness": [
        ("misses[:, None] * slope / slope.square().sum()", "torch.outer(misses, slope / slope.norm() ** 2)"),
        ("misses[:, None] * slope / slope.square().sum()", "misses[:, None] * torch.linalg.pinv(slope[None]).T"),
    ],
    "free_bits": [
        ("kl.clamp_min(floor).sum()", "torch.where(kl > floor, kl, floor).sum()"),
        ("kl.clamp_min(floor).sum()", "sum(k if k > floor else k.new_tensor(floor) for k in kl)"),
    ],
    "gradient_penalty": [
        ("(slope.flatten(1).norm(dim=1) - 1).square().mean()", "((slope.square().sum(dim=(1, 2, 3)).sqrt() - 1) ** 2).mean()"),
        ("share * real + (1 - share) * fake", "fake + share * (real - fake)"),
    ],
}  # fmt: skip


@each
def test_mended_in_other_ways_it_is_green(name, cell, check):
    for old, new in VARIANTS[word(cell)]:
        answer = keep_solutions(cell)
        assert old in answer
        printed = said(name, answer.replace(old, new), check)
        assert "Green." in printed, (new, printed)


SHARE = "torch.rand(len(real), 1, 1, 1, device=real.device)"
WRONG = {
    "iw_bound": [
        ("math.log(num_samples) - log_w.logsumexp(1)", "-log_w.mean(1)"), ("math.log(num_samples) - ", "-"), (" + log_z", ""),
        ("math.log(num_samples) - log_w.logsumexp(1)", "-log_w.exp().mean(1).log()"),
        ("z = rsample(params_q, num_samples)", "z = rsample(params_q.detach(), num_samples)"),
    ],
    "move_to_thickness": [
        ("slope.square().sum()", "slope.norm()"), (" + intercept", ""),
        ("misses[:, None] * slope / slope.square().sum()", "misses[:, None] / slope.sum()"),
    ],
    "free_bits": [
        ("kl.clamp_min(floor).sum()", "kl.sum().clamp_min(floor)"), (".mean(dim=0)", ""), ("clamp_min", "clamp_max"),
        ("kl.clamp_min(floor).sum()", "(kl - floor).clamp_min(0).sum()"),
    ],
    "gradient_penalty": [
        (SHARE, "torch.rand_like(real)"), (SHARE, "torch.rand(1)"), (SHARE, "0.5 * torch.ones(len(real), 1, 1, 1)"),
        (", create_graph=True", ""), ("norm(dim=1)", "norm()"), ("share * real + (1 - share) * fake", "real"),
    ],
}  # fmt: skip


@each
def test_usual_slips_are_red(name, cell, check):
    for old, new in WRONG.get(word(cell), []):
        answer = keep_solutions(cell)
        assert old in answer
        assert "Red." in said(name, answer.replace(old, new), check), new


@each
def test_run_all_goes_on_whatever_stands_there(name, cell, check):
    head = next(line for line in cell.text.split("\n") if line.startswith("def "))
    for body in (
        "pass",
        "return None",
        "return 'A'",
        "raise ValueError('no')",
        "1 / 0",
        "return torch.zeros(3)",
        "raise NotImplementedError",
    ):
        assert "Red." in said(name, f"{head}\n    {body}", check), body


@each
def test_a_broken_rule_is_seen(name, cell, check):
    source = read_source(name)
    cells = list(source.cells)
    without = NotebookSource(name, tuple(one for one in cells if one != check))
    assert [fault for at, fault in faults_of(without) if at == cell]
    bare = SourceCell(check.number, "code", f"{CHECK}\nexpect_true('x', True, 'x')")
    assert list(faults_of(NotebookSource(name, tuple(bare if one == check else one for one in cells))))
    if cell.first_line == FIRST_LINE:
        mended = SourceCell(cell.number, "code", keep_solutions(cell))
        assert list(faults_of(NotebookSource(name, tuple(mended if one == cell else one for one in cells))))


@pytest.mark.parametrize("name", source_names())
def test_no_mark_of_ours_reaches_a_notebook(name):
    for notebook in (student_notebook(name), solved_notebook(name)):
        assert not any("###" in line and "BUG" in line for cell in notebook.cells for line in cell.source.split("\n"))


@pytest.mark.parametrize("name", source_names())
def test_mutants_of_what_is_right_are_red(name):
    """Quick form: every third mutant of the syntax tree, of all functions together; 8 in 10 must be red."""
    tried, green = 0, []
    for cell, check in exercises(name):
        answer = keep_solutions(cell)
        for mutant in mutants_of(word(cell), answer)[::3]:
            tried += 1
            printed = said(name, mutant.source, check)
            if "Green." in printed:
                green.append(f"{word(cell)}: {mutant}"[:300])
    assert tried >= 8
    assert len(green) <= 0.2 * tried, f"{len(green)} of {tried} are green: " + "\n".join(green)
