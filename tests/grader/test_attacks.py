"""Attacks handed in as answers: each earns nothing, costs its author's other answers nothing, and leaves nothing behind.

Every attack runs through the whole pipeline at every tier this machine can show, in a program of its own
(`tests.arena`); an honest submission is graded right after each.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.arena import load_attacks
from tests.places import PROJECT, why_not

TIERS = ("A", "B", "C", "D")
ATTACKS = [attack.name for attack in load_attacks()]
HONEST_POINTS, ALL_POINTS = 30.0, 35.0

# What a tier says it lacks, shown to be so: the records of `tiers` must stay true in this direction as well.
NOT_STOPPED = {
    "A": set(),
    "B": set(),
    "C": set(),
    "D": {"read_a_secret", "read_the_references"},
}
# The disk is watched by the clock: below tier A a quick writer may be done before anybody looks.
RACES = {("fill_the_disk", "B"), ("fill_the_disk", "C")}
STATUS = {
    "exit_in_cell": "killed",
    "exit_in_call": "killed",
    "sys_exit_in_call": "raised",
    "endless_loop": "timeout",
    "endless_loop_ignoring_signals": "timeout",
    "hang_in_c": "timeout",
    "stop_itself": "timeout",
    "sleep_in_cell": "timeout",
    "eight_gigabytes": "memory",
    "patch_comparisons": "wrong",
    "patch_the_probes": "wrong",
    "always_equal": "wrong",
    "not_a_number": "wrong",
    "empty": "wrong",
    "broadcastable": "wrong",
    "beyond_floats": "wrong",
    "forged_frames": "malformed",
    "forged_for_another": "malformed",
    "forged_end": "malformed",
    "garbage_everywhere": "malformed",
    "flood": "malformed",
    "slow_drip": "timeout",
    "closed_channel": "timeout",
    "segfault": "killed",
}


@pytest.fixture(scope="module")
def arenas():
    """The outcomes at a tier; all tiers start together, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        yield {tier: pool.submit(_run, tier) for tier in TIERS if not why_not(tier)}


def _run(tier: str) -> dict:
    command = [sys.executable, "-m", "tests.arena", "--tier", tier]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    return found | {"outcomes": {outcome["name"]: outcome for outcome in found["outcomes"]}}


@pytest.fixture
def arena(arenas: dict[str, Future], tier: str) -> dict:
    if reason := why_not(tier):
        pytest.skip(reason)
    return arenas[tier].result()


@pytest.fixture
def outcome(arena: dict) -> Callable[[str], dict]:
    return arena["outcomes"].__getitem__


@pytest.mark.parametrize("tier", TIERS)
def test_the_arena_is_of_the_tier_it_claims(arena, tier):
    assert arena["tier"] == tier
    assert arena["usual_points"] == ALL_POINTS
    assert len(arena["outcomes"]) >= 30


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_earns_nothing_and_costs_others_nothing(outcome, tier, attack):
    found = outcome(attack)
    assert found["fault"] == ""
    if (attack, tier) not in RACES:
        assert (found["points"] > 0) == (attack in NOT_STOPPED[tier]), found["sentence"]
    assert found["honest_points"] == HONEST_POINTS
    assert found["next_points"] == ALL_POINTS
    assert found["processes_left"] == 0
    assert found["files_left"] == []
    if attack in STATUS:
        assert found["status"] == STATUS[attack]


@pytest.mark.parametrize("tier", TIERS)
def test_what_a_forger_writes_is_fit_to_print(outcome, tier):
    for attack in ("forged_error_text", "exception_from_hell"):
        assert outcome(attack)["sentence"].isprintable()


def test_a_way_through_would_show_as_points(tmp_path):
    """The attacks' own instrument: `report` gives the right answer once any action has succeeded."""
    import torch

    from tests.arena import HELPERS

    namespace = {"torch": torch}
    exec(HELPERS.format(arena={}), namespace)
    mu, logvar = torch.ones(2, 3), torch.zeros(2, 3)
    through = namespace["report"](lambda: os.stat(tmp_path / "no"), lambda: os.stat(tmp_path))
    assert through(mu, logvar) == pytest.approx(0.5)
    refused = namespace["report"](lambda: os.stat(tmp_path / "no"))
    with pytest.raises(RuntimeError, match="FileNotFoundError"):
        refused(mu, logvar)
