"""What axe-core finds on a solved notebook's pages: nbconvert's HTML, and the page that is printed where Typst is missing."""

import logging
import re
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
_PYGMENTS = {"exclude": [[".highlight pre"]]}  # thousands of words of code: most of axe's time
_OF_THE_TEMPLATE = {
    "color-contrast": re.compile(r'<div class="jp-(?:In|Out)\w+Prompt '),
    "link-in-text-block": re.compile(r"<a href="),
}


def pages(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Each page that is made of a notebook: a name and its HTML."""
    for theme in ("light", "dark"):
        exporter = HTMLExporter(
            theme=theme, log=_quiet(), mathjax_url="", require_js_url="", jquery_url="", mermaid_js_url=""
        )
        yield theme, exporter.from_notebook_node(notebook)[0]
    yield "printed", as_html(notebook, Front("Title", "notebook.ipynb", student="Ada"), "a reason")


def grave(notebook: NotebookNode) -> dict[str, list[str]]:
    """What is critical or serious on each page of an executed notebook, and a notebook's own."""
    with chromium() as browser:
        return {
            name: [
                line
                for rule, line in _grave(browser, html, None if name == "printed" else _PYGMENTS)
                if name == "printed" or not _is_the_template_s(rule, line)
            ]
            for name, html in pages(notebook)
        }


def _is_the_template_s(rule: str, line: str) -> bool:
    return rule in _OF_THE_TEMPLATE and bool(_OF_THE_TEMPLATE[rule].search(line))


def _grave(browser: Any, html: str, looked_at: dict | None) -> list[tuple[str, str]]:
    """The critical and serious violations on a page: each rule's name, and a line that says where.

    Raises:
        AssertionError: If axe has not run.
    """
    from axe_playwright_python.sync_playwright import Axe

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        path.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": 1100, "height": 900}, bypass_csp=True, offline=True)
        page = context.new_page()
        page.goto(path.as_uri(), wait_until="load")
        found = Axe().run(page, looked_at, options={"resultTypes": ["violations"]}).response
        context.close()
    assert found["passes"], "axe has run"
    return [
        (rule["id"], f"{rule['impact']} {rule['id']}: {node['html'][:200]}")
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def _quiet() -> logging.Logger:
    log = logging.getLogger(__name__)
    log.setLevel(logging.ERROR)
    return log
