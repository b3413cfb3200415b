"""The mend of a torchvision that does not fit its torch: used when needed, and only then."""

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

from utils.datasets import _torchvision


def test_torchvision_works_here():
    torchvision = _torchvision.import_torchvision()
    assert torchvision.utils.make_grid is not None
    assert torchvision.transforms.ToTensor is not None
    assert torchvision.datasets.MNIST is not None


def test_a_second_call_gives_the_same_module():
    assert _torchvision.import_torchvision() is _torchvision.import_torchvision()


WITHOUT_COMPILED_PART = """
import torch

def refuse(path):
    raise OSError(path)

torch.ops.load_library = refuse
try:
    import torchvision
except RuntimeError as error:
    print(error)
from utils.datasets._torchvision import import_torchvision
print(import_torchvision().utils.make_grid(torch.zeros(4, 3, 2, 2)).shape)
"""


def test_an_installation_without_its_compiled_part_is_mended() -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_COMPILED_PART], capture_output=True, text=True, encoding="utf-8"
    )
    assert run.returncode == 0, run.stderr
    assert "torchvision::nms does not exist" in run.stdout
    assert "torch.Size([3, 6, 18])" in run.stdout


@pytest.fixture
def fake_import(monkeypatch):
    """Imports of torchvision answered by a list of outcomes; what was declared meanwhile is counted."""
    declared: list[int] = []
    monkeypatch.setattr(_torchvision, "_declare_operators", lambda: declared.append(1))
    monkeypatch.setattr(_torchvision, "_forget_half_imported", lambda: None)
    outcomes: list = []

    def import_module(name: str) -> ModuleType:
        assert name == "torchvision"
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(_torchvision.importlib, "import_module", import_module)
    return outcomes, declared


def test_a_healthy_installation_is_left_alone(fake_import):
    outcomes, declared = fake_import
    healthy = ModuleType("torchvision")
    outcomes.append(healthy)
    assert _torchvision.import_torchvision() is healthy
    assert declared == []


def test_missing_operators_are_declared_and_the_import_tried_again(fake_import):
    outcomes, declared = fake_import
    mended = ModuleType("torchvision")
    outcomes += [RuntimeError("operator torchvision::nms does not exist"), mended]
    assert _torchvision.import_torchvision() is mended
    assert declared == [1]


@pytest.mark.parametrize("error", [RuntimeError("CUDA driver is too old"), ImportError("No module named torchvision")])
def test_any_other_failure_passes_through(fake_import, error):
    outcomes, declared = fake_import
    outcomes.append(error)
    with pytest.raises(type(error), match=str(error)):
        _torchvision.import_torchvision()
    assert declared == []


def test_a_half_imported_package_is_forgotten(monkeypatch):
    for name in ("torchvision_like", "torchvision.half"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    kept = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "torchvision"}
    try:
        _torchvision._forget_half_imported()
        assert not [name for name in sys.modules if name.split(".")[0] == "torchvision"]
        assert "torchvision_like" in sys.modules
    finally:
        sys.modules.update(kept)
        sys.modules.pop("torchvision.half", None)
    assert importlib.import_module("torchvision")
