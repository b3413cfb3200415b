"""What the zygote reports becomes the name of a tier."""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox.tiers import TIERS, is_at_least, remark_on, tier_of

NAMES = ("namespaces", "uid", "landlock", "seccomp")


@pytest.mark.parametrize(
    ("features", "tier"),
    [
        ({"namespaces", "uid", "landlock", "seccomp"}, "A"),
        ({"namespaces", "uid", "seccomp"}, "A"),
        ({"uid", "landlock", "seccomp"}, "B"),
        ({"uid", "seccomp"}, "B-"),
        ({"landlock", "seccomp"}, "C"),
        ({"namespaces", "seccomp"}, "C"),
        ({"seccomp"}, "D"),
        ({"namespaces", "uid", "landlock"}, "E"),
        (set(), "E"),
    ],
)
def test_the_tier_of_features(features, tier):
    assert tier_of({name: name in features for name in NAMES}) == tier


def test_a_feature_more_never_makes_it_weaker():
    for values in itertools.product([False, True], repeat=len(NAMES)):
        features = dict(zip(NAMES, values, strict=True))
        for name in NAMES:
            assert is_at_least(tier_of(features | {name: True}), tier_of(features))


def test_an_order_from_strong_to_weak():
    assert list(TIERS) == ["A", "B", "B-", "C", "D", "E"]
    assert is_at_least("A", "C")
    assert is_at_least("C", "C")
    assert not is_at_least("D", "C")
    assert all(tier.lacks and tier.confined_by and tier.where for tier in TIERS.values())


def test_root_without_a_user_to_give_away_is_said():
    assert remark_on({"uid": True, "is_root": False}, "/usr/bin/python3") == ""
    told = remark_on({"uid": False, "is_root": True}, "/closed/.venv/bin/python")
    assert "run as root (uid 0)" in told
    assert "/closed/.venv/bin/python" in told


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives users away")
def test_a_project_under_a_closed_home_is_said_by_the_sandbox(tmp_path: Path):
    """At tier B there is no root folder of its own: the child's user needs a way to the project."""
    project = Path(__file__).parents[3]
    home = tmp_path / "home"
    for part in ("grader", "utils", "assignments", "data", "course.toml"):
        (shutil.copytree if (project / part).is_dir() else shutil.copy)(project / part, _made(home) / part)
    home.chmod(0o700)
    code = "from grader.sandbox.box import Box\nwith Box([], 'B') as box: print(box.tier)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        encoding="utf-8",
    )
    assert done.stdout.strip() in ("C", "D"), done.stderr
    assert "Submissions run as root (uid 0)" in done.stderr


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
