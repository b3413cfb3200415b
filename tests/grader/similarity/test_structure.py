"""Structure: the same whatever names, order, comments, layout and usual spellings; another where the answer is another."""

import pytest

from grader.similarity.structure import structure
from utils.notebook.cell_code import MAX_CODE

ONE = """
class Net(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.first = nn.Linear(nz, 64)
        self.last = nn.Linear(64, 10)

    def forward(self, x):
        h = F.relu(self.first(x.view(x.size(0), -1)))
        return self.last(h)

def sample(mu, logvar, n):
    std = torch.exp(0.5 * logvar)
    eps = torch.randn_like(std)
    kl = 0.5 * (mu ** 2 + torch.exp(logvar) - 1 - logvar)
    return mu + std * eps, kl.mean(dim=1)
"""
SAME = {
    "other names": ONE.replace("std", "deviation").replace("eps", "n_oise").replace(" h ", " hidden ").replace("(h)", "(hidden)"),
    "other attributes": ONE.replace("self.first", "self.fc_in").replace("self.last", "self.fc_out"),
    "comments and layout": ONE.replace("    h = ", "    # hidden\n\n        h   =  ").replace("nn.Linear(nz, 64)", "nn.Linear(\n    nz,\n    64,\n)"),
    "a docstring": ONE.replace("(self, x):\n", '(self, x):\n        """Forward."""\n'),
    "other order": ONE.replace(
        "    eps = torch.randn_like(std)\n    kl = 0.5 * (mu ** 2 + torch.exp(logvar) - 1 - logvar)\n",
        "    kl = 0.5 * (mu ** 2 + torch.exp(logvar) - 1 - logvar)\n    eps = torch.randn_like(std)\n",
    ),
    "sides swapped": ONE.replace("mu + std * eps", "eps * std + mu"),
    "methods": ONE.replace("torch.exp(logvar)", "logvar.exp()").replace("mu ** 2", "mu.pow(2)").replace("F.relu", "torch.relu"),
    "quotients": ONE.replace("0.5 * (mu", "(mu").replace("- logvar)", "- logvar) / 2").replace("0.5 * logvar", "logvar / 2"),
    "reshape": ONE.replace("x.view(x.size(0), -1)", "x.reshape(x.shape[0], -1)"),
    "product for square": ONE.replace("mu ** 2", "mu * mu"),
    "keyword for axis": ONE.replace("dim=1", "axis=1"),
    "parameters renamed": ONE.replace("mu", "m").replace("logvar", "lv"),
}  # fmt: skip
INLINED = ONE.replace("        h = F.relu(self.first(x.view(x.size(0), -1)))\n        return self.last(h)",
                      "        return self.last(F.relu(self.first(x.view(x.size(0), -1))))")  # fmt: skip


@pytest.mark.parametrize("how", SAME)
def test_what_is_the_same_has_the_same_fragments(how: str) -> None:
    assert SAME[how] != ONE
    assert structure(SAME[how]).keys() == structure(ONE).keys()


def test_a_variable_written_out_keeps_what_is_deep() -> None:
    deep = {key for key in structure(ONE) if key.startswith("d")}
    assert INLINED != ONE
    assert deep <= structure(INLINED).keys()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("torch.exp(0.5 * logvar)", "torch.exp(logvar)"),
        ("mu + std * eps", "mu - std * eps"),
        ("- 1 - logvar", "- 1 + logvar"),
        ("nn.Linear(nz, 64)", "nn.Linear(nz, 32)"),
        ("kl.mean(dim=1)", "kl.sum(dim=1)"),
        ("F.relu", "torch.tanh"),
    ],
)
def test_another_answer_has_other_fragments(old: str, new: str) -> None:
    assert ONE.count(old) >= 1
    assert structure(ONE.replace(old, new)).keys() != structure(ONE).keys()


def test_lines_that_do_nothing_leave_the_rest() -> None:
    padded = ONE.replace("    std = ", "    unused = [k for k in range(7)]\n    std = ")
    assert structure(ONE).keys() <= structure(padded).keys()


def test_a_loop_and_a_comprehension_share_what_they_do() -> None:
    comprehension = structure("def f(xs, m):\n    return torch.stack([m.decode(x * 3 + 1) for x in xs.split(4)])")
    loop = structure(
        "def f(xs, m):\n    out = []\n    for x in xs.split(4):\n        out.append(m.decode(x * 3 + 1))\n    return torch.stack(out)"
    )
    assert len(comprehension.keys() & loop.keys()) >= 5


def test_a_fragment_knows_where_it_stands() -> None:
    (line, column, end_line, end_column) = structure("def f(a):\n    return torch.exp(a * 7)")[
        next(iter(structure("def f(a):\n    return torch.exp(a * 7)")))
    ][0]
    assert (line, end_line) == (2, 2)
    assert "    return torch.exp(a * 7)"[column:end_column] in ("a * 7", "torch.exp(a * 7)")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def f(:",
        "x = " + "(" * 5000,
        "x = " + "+".join(["a"] * 9000),
        "x = " + "a" + ".b" * 9000,
        "x" + " = x" * 3000,
        "\n".join(["x = f(x)"] * 4000),
        "x = 2\n" + "\n".join(["x = x * x"] * 3000),
        "x = 9 ** 9 ** 9 ** 9",
        "x = (-8) ** 0.5 + 0 ** -1 + 1e999 * 0",
        "x = " + "9" * 4000,
        "x = '\\ud800'",
        "for x in x:\n  for x in x:\n    while x: x = [x for x in x if x]",
        "def self(self, *self_, **x): self.self = self.self.self(self)",
        "match x:\n  case {'a': b}: c = b\n  case _: pass",
        "try:\n  a = 1\nexcept* E as e:\n  b = 2\nfinally:\n  del a",
        "async def f():\n  async for x in y: await z\n  async with a as b: yield x",
        "lambda *a, **k: (yield)",
        "def f(a, /, b, *, c): global d; nonlocal_ = a[b:c, ..., None]; (e := a); print(f'{a!r:>{b}}')",
        "x = " + "[" * 60 + "1" + "]" * 60,
        "#" * (MAX_CODE + 1),
    ],
    ids=range(21),
)
def test_no_code_breaks_it(source: str) -> None:
    assert isinstance(structure(source), dict)
