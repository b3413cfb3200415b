"""What axe-core finds on a solved notebook's pages: nbconvert's HTML, and the page that is printed where Typst is missing."""

import copy
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbconvert.exporters.html import HTMLExporter
from nbformat import NotebookNode

from tests.marking.browser import chromium
from utils.export.browser import as_html
from utils.export.document import Front

GRAVE = ("critical", "serious")

# Of nbconvert's template and pygments' colours, not of any notebook; the page that is printed has a style of ours and is held to all.
_OF_THE_TEMPLATE = {"exclude": [[".highlight pre"], [".jp-InputPrompt"], [".jp-OutputPrompt"]]}
_NO_TEXT = (
    ' alt="No description has been provided for this image"'  # so nbconvert hides from axe that a picture has none
)
# Of coloured pieces of code a few of each colour stay: axe looks at each by itself, and thousands take it ten seconds.
_FEW_OF_EACH_COLOUR = """() => {
    const seen = {};
    for (const piece of document.querySelectorAll('.highlight span[class]')) {
        seen[piece.className] = (seen[piece.className] || 0) + 1;
        if (seen[piece.className] > 5) piece.replaceWith(...piece.childNodes);
    }
}"""
_LINKS_OF_THE_TEMPLATE = {"link-in-text-block": {"enabled": False}}


def pages(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Each page that is made of a notebook: a name and its HTML.

    The template colours code, and axe is not asked about that there: of each cell the first line stands for all, and the longest,
    by which a cell scrolls. It takes half the time.
    """
    short = copy.deepcopy(notebook)
    for cell in short.cells:
        if cell.cell_type == "code":
            lines = cell.source.split("\n")
            cell.source = f"{lines[0]}\n{max(lines, key=len)}"
    for theme in ("light", "dark"):
        exporter = HTMLExporter(
            theme=theme, log=_quiet(), mathjax_url="", require_js_url="", jquery_url="", mermaid_js_url=""
        )
        yield theme, exporter.from_notebook_node(short)[0]
    yield "printed", as_html(notebook, Front("Title", "notebook.ipynb", student="Ada"), "a reason")


def grave(notebook: NotebookNode) -> dict[str, list[str]]:
    """What is critical or serious on each page of an executed notebook, and a notebook's own."""
    with chromium() as browser:
        return {name: _grave(browser, html, has_template=name != "printed") for name, html in pages(notebook)}


def _grave(browser: Any, html: str, has_template: bool) -> list[str]:
    """The critical and serious violations on a page, each in a line that says where.

    Raises:
        AssertionError: If axe has not run.
    """
    from axe_playwright_python.sync_playwright import Axe

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        path.write_text(html.replace(_NO_TEXT, ""), encoding="utf-8")
        context = browser.new_context(viewport={"width": 1100, "height": 900}, bypass_csp=True, offline=True)
        page = context.new_page()
        page.goto(path.as_uri(), wait_until="load")
        page.evaluate(_FEW_OF_EACH_COLOUR)
        options = {"resultTypes": ["violations"], "rules": _LINKS_OF_THE_TEMPLATE if has_template else {}}
        found = Axe().run(page, _OF_THE_TEMPLATE if has_template else None, options).response
        context.close()
    assert found["passes"], "axe has run"
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:200]}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def _quiet() -> logging.Logger:
    log = logging.getLogger(__name__)
    log.setLevel(logging.ERROR)
    return log
