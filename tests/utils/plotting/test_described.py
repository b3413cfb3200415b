"""Every picture a notebook shows says in words what it shows: ours, the student's, live ones."""

import random
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from utils.plotting.described import MAX_CHARACTERS, bundle, describe

SET_UP = "from utils.plotting.described import describe_figures\ndescribe_figures()\nimport matplotlib.pyplot as plt"


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def alts(text: str) -> list[str]:
    """The texts of all pictures of a piece of HTML; "" for one without."""
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append(dict(attrs).get("alt") or "") if tag == "img" else None
    parser.feed(text)
    return found


def test_titles_axes_series_and_key_numbers_are_told():
    figure, (left, right) = plt.subplots(1, 2)
    figure.suptitle(r"Two $\beta$ runs")
    left.plot([1, 2, 3, 4], [8.0, 2.0, 0.5, 1.25], label="loss")
    left.set(xlabel="epoch", ylabel="nats", yscale="log", title="It falls")
    right.bar(["first", "second"], [1.5, 2.5], label="share")
    dots = left.scatter([0, 1], [2, 3], c=[0, 1])
    figure.colorbar(dots, label="digit")
    assert describe(figure) == (
        "Two beta runs. 2 panels. Panel 1: It falls. Nats (log scale) against epoch. "
        "Loss: from 8 to 1.25, lowest 0.5, highest 8; 2 dots, from 0 to 1 across and 2 to 3 up. "
        "Panel 2: Share: bars first 1.5, second 2.5. Colour stands for digit."
    )


def _drawn(chance: random.Random) -> tuple[plt.Figure, list[str]]:
    """A figure made by rule, and the words that its text must have."""
    rows, columns = chance.choice([(1, 1), (1, 2), (2, 3)])
    figure, axes = plt.subplots(rows, columns, squeeze=False)
    words = [f"title{chance.randrange(10**6)}"]
    figure.suptitle(words[0])
    for axis in axes.flat:
        named = [f"{word}{chance.randrange(10**6)}" for word in ("Panel", "across", "up", "series")]
        y = [chance.uniform(-5, 5) for _ in range(chance.randint(2, 9))]
        kind = chance.choice([axis.plot, axis.scatter, axis.bar])
        kind(range(len(y)), y, label=named[3])
        axis.set(title=named[0], xlabel=named[1], ylabel=named[2])
        words += [*named, f"{min(y):.3g}", f"{max(y):.3g}"]
    return figure, words


@pytest.mark.parametrize("seed", range(20))
def test_nothing_that_a_figure_says_is_left_out(seed):
    figure, words = _drawn(random.Random(seed))
    text = describe(figure)
    missing = [word for word in words if word.lower() not in text.lower()]
    assert not missing or len(text) >= MAX_CHARACTERS - 30, (missing, text)


@pytest.mark.parametrize(
    "draw",
    [
        lambda axis: None,
        lambda axis: axis.plot([]),
        lambda axis: axis.plot([np.nan, np.inf], [1, np.nan]),
        lambda axis: axis.plot(["a", "b"], [1, 2]),
        lambda axis: axis.plot(np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"), [1, 2]),
        lambda axis: axis.imshow(np.zeros((4, 5))),
        lambda axis: axis.hist(np.arange(100)),
        lambda axis: axis.errorbar([1, 2], [1, 2], [0.1, 0.2], label="mean"),
        lambda axis: axis.boxplot([1, 2, 3]),
        lambda axis: axis.fill_between([1, 2], [1, 2], label="area"),
        lambda axis: axis.contourf(np.eye(3)),
        lambda axis: axis.pie([1, 2]),
        lambda axis: axis.stem([1, 2]),
        lambda axis: axis.scatter(np.ma.masked_invalid([1, np.nan]), [1, 2]),
        lambda axis: [axis.plot([i, i + 1]) for i in range(50)],
        lambda axis: axis.set_title("$" + "x" * 5000 + "$"),
    ],
)
def test_whatever_is_drawn_has_a_text_of_bounded_length(draw):
    figure, axis = plt.subplots()
    draw(axis)
    assert 0 < len(describe(figure)) <= MAX_CHARACTERS


@pytest.mark.parametrize("alt", ["a \"quoted\" <b>&amp; 'x'", "", "two\nlines", "日本 β"])
def test_the_text_survives_html(alt):
    data, metadata = bundle("aGk=\n", alt)
    assert alts(data["text/html"]) == [alt]
    assert data["image/png"] == "aGk="
    assert metadata["image/png"]["alt"] == alt


def test_in_a_kernel_every_picture_has_its_text_and_is_drawn_once():
    cells = {
        "shown at the cell's end": "plt.plot([1, 2], label='mine'); plt.title('Of the student');",
        "shown": "plt.title('Of the student'); plt.show()",
        "returned": "figure = plt.figure(); figure.add_subplot().plot([1, 2]); figure.suptitle('Of the student'); plt.close(figure)\nfigure",
        "displayed": "display(figure)",
        "replaced in place": "handle = display(figure, display_id=True)\nhandle.update(figure)",
        "after the backend is chosen anew": "%matplotlib inline\nplt.title('Of the student');",
        "sharper": "%config InlineBackend.figure_format = 'retina'\nplt.title('Of the student');",
    }
    count = "from IPython.core import pylabtools\nold, drawn = pylabtools.print_figure, []\n"
    count += "pylabtools.print_figure = lambda *args, **options: drawn.append(1) or old(*args, **options)"
    end = "%config InlineBackend.figure_format = 'png'\nplt.title('Once'); plt.show()\nprint(len(drawn))"
    code = [nbformat.v4.new_code_cell(text) for text in (SET_UP, *cells.values(), count, end)]
    NotebookClient(nbformat.v4.new_notebook(cells=code), timeout=120, kernel_name="python3").execute()
    for name, cell in zip(cells, code[1:], strict=False):
        shown = [output for output in cell.outputs if "data" in output]
        assert len(shown) == 1, name
        assert alts(shown[0].data["text/html"])[0].startswith("Of the student."), name
        assert shown[0].data["text/plain"].startswith("Of the student."), name
        assert shown[0].metadata["image/png"]["alt"].startswith("Of the student."), name
        assert shown[0].data["image/png"].strip() in shown[0].data["text/html"], name
    assert "width" in code[len(cells)].outputs[0].metadata["image/png"], "of the sharper one"
    assert [output.text for output in code[-1].outputs if "text" in output] == ["1\n"]


def test_another_format_keeps_its_text_in_words():
    code = "%config InlineBackend.figure_format = 'svg'\nplt.title('Of the student');"
    cells = [nbformat.v4.new_code_cell(text) for text in (SET_UP, code)]
    NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=120, kernel_name="python3").execute()
    data = cells[1].outputs[0].data
    assert "image/svg+xml" in data
    assert data["text/plain"].startswith("Of the student.")
