"""Attacks handed in as answers: each earns nothing, costs its author's other answers nothing, and leaves nothing behind.

Every attack runs through the whole pipeline at the strongest tier; at the others run those whose outcome depends on the
tier (`FAMILIES`, `differs_by_tier`). An honest submission follows the last attack of each family. The whole matrix, with an
honest submission after every attack: `python -m tests.threat_model`.
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.arena import HELPERS, TIERS
from tests.attacks.catalogue import FAMILIES, Attack, load_attacks
from tests.places import why_not
from tests.threat_model import PAGE, is_contained, is_expected, run_arena

FIRST = next((tier for tier in TIERS if not why_not(tier)), "A")
ATTACKS = load_attacks()
DIFFERING = [attack for attack in ATTACKS if FAMILIES[attack.family].differs_by_tier]
CASES = [(tier, attack) for tier in TIERS for attack in (ATTACKS if tier == FIRST else DIFFERING)]
PARAMETERS = [pytest.param(tier, attack, id=f"{tier}-{attack.name}") for tier, attack in CASES]
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
    "zip_slip": "passed",
    "hidden_conftest": "passed",
    "hidden_modules": "passed",
    "duplicated_cells": "passed",
    "link_to_a_secret": "rejected",
    "encrypted": "rejected",
    "bomb": "rejected",
    "not_json": "rejected",
    "five_hundred_megabytes": "rejected",
}


@pytest.fixture(scope="module")
def arenas():
    """The outcomes at a tier; all tiers start together, two at a time."""
    differing = [option for family in FAMILIES if FAMILIES[family].differs_by_tier for option in ("--family", family)]
    with ThreadPoolExecutor(2) as pool:
        yield {
            tier: pool.submit(run_arena, tier, "--quick", *(() if tier == FIRST else differing), seconds=900)
            for tier in TIERS
            if not why_not(tier)
        }


@pytest.fixture
def arena(arenas: dict[str, Future], tier: str) -> dict:
    if reason := why_not(tier):
        pytest.skip(reason)
    return arenas[tier].result()


@pytest.mark.parametrize("tier", TIERS)
def test_the_arena_is_of_the_tier_it_claims(arena, tier):
    assert arena["tier"] == tier
    names = [outcome["name"] for outcome in arena["outcomes"]]
    assert sorted(names) == sorted(attack.name for place, attack in CASES if place == tier)
    followed = {outcome["family"] for outcome in arena["outcomes"] if outcome["next_lost"] is not None}
    assert followed == {attack.family for place, attack in CASES if place == tier}


@pytest.mark.parametrize(("tier", "attack"), PARAMETERS)
def test_an_attack_earns_nothing_and_costs_others_nothing(arena, tier: str, attack: Attack):
    outcome = next(found for found in arena["outcomes"] if found["name"] == attack.name)
    assert is_contained(outcome) or is_expected(tier, outcome), outcome
    assert outcome["sentence"].isprintable()
    if attack.name in STATUS:
        assert outcome["status"] == STATUS[attack.name]


def test_what_a_tier_does_not_stop_gets_through(arenas):
    """Else the page would warn of what is no danger, or the attack would be a blunt one."""
    if why_not("D"):
        pytest.skip(why_not("D"))
    found = {outcome["name"] for outcome in arenas["D"].result()["outcomes"] if not is_contained(outcome)}
    assert found == {"read_a_secret", "read_the_references", "read_by_other_calls"}


def test_every_attack_is_on_the_page():
    page = PAGE.read_text(encoding="utf-8")
    assert [attack.name for attack in ATTACKS if f"`{attack.name}`" not in page] == []
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


def test_a_way_through_would_show_as_points(tmp_path):
    """The attacks' own instrument: `report` gives the right answer once any action has succeeded."""
    import torch

    namespace = {"torch": torch}
    exec(HELPERS.format(arena={}), namespace)
    mu, logvar = torch.ones(2, 3), torch.zeros(2, 3)
    through = namespace["report"](lambda: os.stat(tmp_path / "no"), lambda: os.stat(tmp_path))
    assert through(mu, logvar) == pytest.approx(0.5)
    refused = namespace["report"](lambda: os.stat(tmp_path / "no"))
    with pytest.raises(RuntimeError, match="FileNotFoundError"):
        refused(mu, logvar)
