"""Weights of ours in the notebooks: each call finds its file, each file has its call, and they are what the texts speak of."""

import ast
import re

import pytest
from safetensors import safe_open

from tools.notebook_source import read_source, source_names
from utils.assignments.places import this_course
from utils.training.ours import ORDER

TRAINED = [name for name in source_names() if "LOAD_OURS" in "".join(cell.text for cell in read_source(name).cells)]


def called(name: str) -> list[str]:
    """The first arguments of `load_ours` and `our_chain` in a notebook, as patterns: what is filled in is anything."""
    trees = [ast.parse(cell.text) for cell in read_source(name).cells if cell.kind == "code"]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    ours = [call.args[0] for call in calls if getattr(call.func, "id", "") in ("load_ours", "our_chain")]
    return ["".join(_pattern(part) for part in getattr(node, "values", [node])) for node in ours]


def _pattern(part: ast.expr) -> str:
    return re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+"


def stored(name: str) -> dict:
    """The files of ours of a notebook's assignment, by their stem."""
    found = {}
    for path in sorted((this_course().place(name).path / "weights").glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            if ORDER in (file.metadata() or {}):
                found[path.stem] = path
    return found


def history(name: str, stem: str, key: str) -> list[float]:
    with safe_open(stored(name)[stem], "pt") as file:
        return file.get_tensor(f"history/{key}").tolist()


@pytest.mark.parametrize("name", TRAINED)
def test_each_call_finds_a_file_and_each_file_has_a_call(name):
    patterns, files = called(name), stored(name)
    assert len(patterns) >= 2
    assert [pattern for pattern in patterns if not any(re.fullmatch(pattern, stem) for stem in files)] == []
    assert [stem for stem in files if not any(re.fullmatch(pattern, stem) for pattern in patterns)] == []


@pytest.mark.parametrize("name", TRAINED)
def test_every_line_that_loads_stands_in_a_block_of_the_switch(name):
    """`tools.weights` finds them there."""
    for cell in read_source(name).cells:
        if cell.kind != "code" or not cell.text.count("load_ours("):
            continue
        blocks = [node for node in ast.walk(ast.parse(cell.text)) if isinstance(node, ast.If)]
        switched = [block for block in blocks if ast.unparse(block.test) == "LOAD_OURS"]
        inside = [call for block in switched for call in ast.walk(block) if isinstance(call, ast.Call)]
        assert sum(getattr(call.func, "id", "") == "load_ours" for call in inside) == cell.text.count("load_ours(")


def loaded(name: str) -> set[str]:
    """The networks and histories that `load_ours` is given or gives anywhere in a notebook."""
    found: set[str] = set()
    for cell in read_source(name).cells:
        if cell.kind != "code" or "load_ours(" not in cell.text:
            continue
        for node in ast.walk(ast.parse(cell.text)):
            call = node.value if isinstance(node, ast.Assign | ast.Expr) else None
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "load_ours":
                targets = node.targets if isinstance(node, ast.Assign) else []
                found |= {root.id for part in (*targets, *call.args[1:]) if isinstance(root := _root(part), ast.Name)}
    return found


def _root(part: ast.expr) -> ast.expr:
    while isinstance(part, ast.Subscript | ast.Attribute):
        part = part.value
    return part


def titles_without_an_owner(text: str, ours: set[str]) -> list[str]:
    """In a cell that reads what may be ours, the titles that name the data alone."""
    tree = ast.parse(text)
    if not ours & {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
        return []
    calls = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    titles = [call for call in calls if call.startswith(("titled(", "source.title(", "vis_samples("))]
    return [title for title in titles if "whose(" not in title and "owner" not in title]


@pytest.mark.parametrize("name", TRAINED)
def test_what_may_show_weights_of_ours_says_so_in_its_title(name):
    ours = loaded(name)
    assert len(ours) >= 3
    cells = [cell for cell in read_source(name).cells if cell.kind == "code" and cell.role != "test"]
    found = {cell.first_line: bare for cell in cells if (bare := titles_without_an_owner(cell.text, ours))}
    assert found == {}
    titled = [cell.text for cell in cells if "whose(" in cell.text]
    assert name == "02_airfoil_vae" or any(
        titles_without_an_owner(text.replace("whose(", "str("), ours) for text in titled
    )


def test_they_stay_small():
    sizes = [path.stat().st_size for name in TRAINED for path in stored(name).values()]
    assert max(sizes) < 1_500_000
    assert sum(sizes) < 10_000_000


def mean(values: list[float]) -> float:
    return sum(values[-100:]) / len(values[-100:])


def test_the_digits_are_those_of_the_texts():
    name = "03_mnist_vae"
    assert 0.084 < mean(history(name, "digits_autoencoder", "all")) < 0.092
    assert mean(history(name, "digits_beta_10", "kl_loss")) < 1e-5
    assert 0.25 < mean(history(name, "digits_beta_10", "rec_loss")) < 0.27
    assert mean(history(name, "digits_beta_0", "kl_loss")) > 10
    assert 0.25 < mean(history(name, "digits_beta_tuned", "kl_loss")) < 0.4
    assert history(name, "digits_fc_vae", "all")[-1] < 120
    assert history(name, "digits_cvae", "all")[-1] < 115
    full, annealed = (
        history(name, stem, "rec_loss")[-1] + history(name, stem, "kl_loss")[-1]
        for stem in ("digits_full", "digits_annealed")
    )
    assert annealed < full


def test_the_wings_are_those_of_the_texts():
    name = "02_airfoil_vae"
    kl = {beta: mean(history(name, f"airfoils_beta_{beta}", "prior_losses")) for beta in ("0", "0.0004", "0.02")}
    assert kl["0"] > 10
    assert 2 < kl["0.0004"] < 5
    assert kl["0.02"] < 0.05
    assert 2 < mean(history(name, "airfoils_design", "prior_losses")) < 5
    assert len(history(name, "airfoils_design", "total_losses")) == 5000


def test_the_photographs_are_those_of_the_texts():
    for stem in ("photographs_dcgan", "photographs_spectral"):
        assert 0.7 < mean(history("04_cifar_dcgan", stem, "d_losses")) < 0.95
        assert 1.5 < mean(history("04_cifar_dcgan", stem, "g_losses")) < 2.0
        assert len(history("04_cifar_dcgan", stem, "g_losses")) == 975
