"""The way out when the wheels are missing: the notebook as one HTML file, printed by a browser that is installed.

Formulas become MathML where pandoc is there, and stay visible as source where it is not. The file holds no script and
asks for nothing from the network.
"""

import copy
import html
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

from utils.notebook.scaffold import folded

from . import maths, pandoc
from .document import Front
from .parts import Limits, text_of

_NAMES = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome", "msedge", "microsoft-edge")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\Microsoft\Edge\Application\msedge.exe",
)
_SECONDS = 60


def print_notebook(notebook: dict, front: Front, reason: str, log: logging.Logger) -> tuple[bytes, str]:
    """The notebook as a PDF from a browser, or as HTML when no browser does it.

    Args:
        notebook: The notebook, format 4.
        front: Title, student and receipt.
        reason: Why this way is taken; printed at the top.
        log: Told what happens.

    Returns:
        The file's bytes and its suffix, `.pdf` or `.html`.
    """
    page = as_html(notebook, front, f"{reason}; printed by a browser instead.")
    for browser in installed_browsers():
        pdf, problem = _printed(browser, page)
        if pdf:
            log.warning("Printed with %s.", browser)
            return pdf, ".pdf"
        log.warning("%s %s.", browser, problem)
    log.warning("No browser made a PDF either: open the HTML file and print it from a browser (Ctrl+P, Save as PDF).")
    words = f"{reason}, and no browser was found: print this page from a browser (Ctrl+P, Save as PDF)."
    return as_html(notebook, front, words).encode(), ".html"


def as_html(notebook: dict, front: Front, words: str) -> str:
    """The notebook as one HTML page without scripts, with `words` and the student's name at its top."""
    from nbconvert.exporters.html import HTMLExporter
    from nbformat import from_dict

    notebook = copy.deepcopy(notebook)
    notebook["metadata"].pop("widgets", None)  # a widget state without `state` stops the HTML exporter
    _shorten(notebook["cells"])
    formulas: list[maths.Formula] = []
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] == "markdown":
            cell["source"] = maths.take_formulas(text_of(cell["source"]), number, formulas)
    quiet = logging.getLogger(__name__ + ".html")
    quiet.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about outputs that only a script shows; this page has no scripts
        exporter = HTMLExporter(embed_images=False, log=quiet)  # no picture is read from the disk
        page, _ = exporter.from_notebook_node(from_dict(notebook))
    page = _without_active_parts(page)
    markup = _formulas_as_html(formulas)
    page = re.sub("\ue000m(\\d+)\ue001", lambda match: markup[int(match[1])], page)
    page = re.sub(r"<head>", f"<head>{_POLICY}", page, count=1)
    return page.replace("<body", f"{_STYLE}<body", 1).replace("<main>", _banner(front, words) + "<main>", 1)


def _without_active_parts(page: str) -> str:
    """No script, and nothing that loads or leads elsewhere: the template's is taken out, a stranger's can be read as it was
    typed. The policy forbids the same once more, to the browser."""
    head, body, rest = page.partition("<body")
    pieces = re.split(r"<script\b", head, flags=re.I)
    head = pieces[0] + "".join(re.split(r"</script\s{0,9}>", piece, maxsplit=1, flags=re.I)[-1] for piece in pieces[1:])
    return _LINK.sub("", head) + body + _ACTIVE.sub("&lt;", rest)


def _shorten(cells: list[dict]) -> None:
    """Cut endless lines and logs, which take a browser minutes to lay out."""
    for cell in cells:
        source = text_of(cell["source"])
        words = folded(source, cell.get("metadata") or {}) if cell["cell_type"] == "code" else ""
        cell["source"] = f"# {words}" if words else _cut(source, 10_000)
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream":
                output["text"] = _cut(text_of(output["text"]), Limits().lines)
            elif "text/plain" in output.get("data", {}):
                output["data"]["text/plain"] = _cut(text_of(output["data"]["text/plain"]), Limits().lines)


def _cut(text: str, lines: int) -> str:
    limit = Limits().characters
    kept = [
        line if len(line) <= limit or _EMBEDDED.fullmatch(line) else f"{line[:limit]} …" for line in text.split("\n")
    ]
    if len(kept) > lines:
        kept = [*kept[: lines * 2 // 3], f"… {len(kept) - lines} lines omitted here …", *kept[-(lines // 3) :]]
    return "\n".join(kept)


_EMBEDDED = re.compile(r"\[[^\]]{1,200}\]: data:image/png;base64,[A-Za-z0-9+/=]*")
_LINK = re.compile(r"<link\b[^<>]{0,2000}>", re.I)
_ACTIVE = re.compile(r"<(?=/?(?:script|meta|link|iframe|frame|frameset|object|embed|base|form|portal|applet)\b)", re.I)
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; font-src data:; '
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">"
)
_STYLE = (
    "<style>@page{margin:16mm} pre{white-space:pre-wrap!important}"
    ".export-note{border:1px solid #a04000;padding:8px;margin:12px;color:#a04000}</style>"
)


def _banner(front: Front, words: str) -> str:
    who = " · ".join(
        html.escape(part) for part in (front.student, front.receipt and f"receipt {front.receipt}", front.file) if part
    )
    return f'<div class="export-note"><strong>{who}</strong><br>{html.escape(words)}</div>'


_NUMBERING = re.compile(r"\\(?:tag\*?|label)\s*\{[^}]*\}|\\(?:nonumber|notag)\b")


def _formulas_as_html(formulas: list[maths.Formula]) -> list[str]:
    """MathML for each formula, or its source where pandoc is missing or cannot read it."""
    sources = [f"<code>{html.escape(formula.source)}</code>" for formula in formulas]
    plain, macros = maths.take_macros(formulas)
    if macros.definitions or not formulas:  # expanding them takes the converter that is missing here
        return sources
    blocks: list[dict] = []
    for formula in (replace(f, tex="") if maths.is_too_dear(f.tex) else f for f in plain):
        kind = {"t": "DisplayMath" if formula.display else "InlineMath"}
        math = {"t": "Math", "c": [kind, _NUMBERING.sub("", formula.tex)]}
        blocks += [{"t": "Plain", "c": [math]}, {"t": "HorizontalRule"}]
    tree = json.dumps({"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks})
    try:
        options = ["--sandbox", "-f", "json", "-t", "html", "--mathml", "--wrap=none"]
        done = pandoc.run_limited(options, _SECONDS, input=tree, encoding="utf-8")
    except pandoc.PandocError:
        return sources
    results = [part.strip() for part in done.stdout.split("<hr />")][: len(formulas)]
    return [result if "<math" in result else source for result, source in zip(results, sources, strict=True)]


def installed_browsers() -> list[str]:
    """Executables of Chrome, Chromium and Edge on this computer."""
    found = [path for name in _NAMES if (path := shutil.which(name))]
    return list(dict.fromkeys(found + [place for place in _PLACES if Path(place).exists()]))


def _printed(browser: str, page: str, seconds: float = _SECONDS) -> tuple[bytes | None, str]:
    """The page as the browser prints it, or None and what went wrong."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        source, target = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, encoding="utf-8")
        command = [
            browser, "--headless", "--disable-gpu", "--no-first-run", "--blink-settings=scriptEnabled=false", f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer", "--host-resolver-rules=MAP * ~NOTFOUND", f"--print-to-pdf={target}", source.as_uri(),
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chrome refuses to run as root (Colab, containers) otherwise
        problem = _run(command, seconds)
        data = target.read_bytes() if target.exists() else b""
        if data.startswith(b"%PDF"):
            return data, ""
        return None, problem or "wrote no PDF"


def _run(command: list[str], seconds: float) -> str:
    """Run a browser and everything it starts; all of it ends when the time is over. Returns what went wrong, or nothing."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return f"cannot be started ({error.strerror})"
    try:
        code = process.wait(seconds)
        return f"ended with code {code}" if code else ""
    except subprocess.TimeoutExpired:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        return f"did not finish in {seconds:g} s"
