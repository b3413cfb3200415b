"""A code cell's outputs as parts to print: logs shortened, pictures and tables kept, what only a browser shows named."""

import re
from dataclasses import replace

from . import colours, images, runs
from .parts import Limits, Listing, Note, Part, Picture, Prose, text_of
from .summary import Summary

_CONTROLS = re.compile(r"\w*Box\(children=\(\w*Slider\(")  # what they show is an output of its own, a picture
_BAR = re.compile(r"%\|[^|]{0,400}\| {1,9}[^ ]{1,20}/[^ ]{1,20} \[")  # as tqdm draws a progress bar
_MAX_HTML = 400_000  # characters without embedded pictures; more is an application, not a table


def read_outputs(number: int, outputs: list[dict], limits: Limits, summary: Summary) -> list[Part]:
    """The outputs of one code cell as parts to print.

    Args:
        number: The cell's number, from 1.
        outputs: Its outputs, as the notebook file holds them.
        limits: How much of each is kept.
        summary: Told what is shortened or cannot be printed.
    """
    return [part for output in _merged_streams(outputs) for part in _output_parts(number, output, limits, summary)]


def shortened_listing(part: Listing, max_lines: int, limits: Limits, summary: Summary) -> Listing:
    """The listing within its limits; the summary is told what is left out."""
    short = runs.shortened(part.lines, max_lines, limits.characters)
    what = {"source": "code", "raw": "raw text", "error": "traceback"}.get(part.kind, "output")
    if short.omitted:
        summary.lose(part.cell, "lines", f"{short.omitted} lines of its {what} are left out.")
    if short.cut:
        words = f"{short.cut} line{'s' if short.cut > 1 else ''} of its {what} cut at {limits.characters} characters."
        summary.lose(part.cell, "lines", words)
    return replace(part, lines=short.lines)


def _merged_streams(outputs: list[dict]) -> list[dict]:
    """Outputs with neighbouring writes to one stream joined: a progress bar is hundreds of them."""
    merged: list[dict] = []
    for output in outputs:
        if output.get("output_type") == "stream":
            name, text = output.get("name", "stdout"), text_of(output.get("text"))
            if merged and merged[-1].get("output_type") == "stream" and merged[-1]["name"] == name:
                merged[-1]["text"].append(text)
            else:
                merged.append({"output_type": "stream", "name": name, "text": [text]})
        else:
            merged.append(output)
    return merged


def _output_parts(number: int, output: dict, limits: Limits, summary: Summary) -> list[Part]:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output["name"] == "stderr" else "stdout"
        return _terminal(number, name, text_of(output["text"]), limits, summary)
    if kind == "error":
        traceback = text_of("\n".join(output.get("traceback") or []))
        return _terminal(
            number, "error", traceback or f"{output.get('ename')}: {output.get('evalue')}", limits, summary
        )
    data = {mime: value for mime, value in (output.get("data") or {}).items() if value}
    return _display_parts(number, data, output.get("metadata") or {}, limits, summary)


def _terminal(number: int, kind: str, text: str, limits: Limits, summary: Summary) -> list[Part]:
    lines = [line for line in colours.terminal_lines(text) if not _BAR.search("".join(run[0] for run in line))]
    if not any(run[0].strip() for line in lines for run in line):  # a progress bar that wiped itself away leaves blanks
        return []
    return [shortened_listing(Listing(number, kind, lines), limits.lines, limits, summary)]


def _display_parts(number: int, data: dict, metadata: dict, limits: Limits, summary: Summary) -> list[Part]:
    """The best printable form of a displayed object; a person sees one form on the screen too."""
    plain = text_of(data.get("text/plain", ""))
    for mime in images.TYPES:
        if mime in data:
            more = metadata.get(mime)
            more = more if isinstance(more, dict) else {}
            width = more.get("width", 0)
            return [Picture(number, data[mime], mime, width if isinstance(width, int) else 0, str(more.get("alt", "")))]
    for mime, form in (("text/markdown", "markdown"), ("text/latex", "latex")):
        if mime in data:
            return [Prose(number, text_of(data[mime]), form)]
    if html := _printable_html(text_of(data.get("text/html", "")), plain):
        return [Prose(number, html, "html")]
    if "application/vnd.jupyter.widget-view+json" in data and (_BAR.search(plain) or _CONTROLS.match(plain)):
        return []
    if plain and not plain.startswith("<IPython.core.display."):
        return _terminal(number, "result", plain, limits, summary)
    if data:
        words = f"[interactive output not included: {', '.join(sorted(data))[:120]}]"
        summary.lose(number, "part", "an interactive output cannot be printed.")
        return [Note(number, words)]
    return []


def _printable_html(html: str, plain: str) -> str:
    """HTML worth printing, without scripts and styles: tables and pictures, and whatever has no text form."""
    html = re.sub(r"<(style|script|template)\b.*?</\1\s*>|<!--.*?-->", "", html, flags=re.S | re.I)
    is_needed = not plain or plain.startswith("<IPython.core.display.") or re.search(r"<(table|img)\b", html, re.I)
    has_content = re.search(r"<img\b|<svg\b|>[^<]*[^<\s]|^\s*[^<\s]", html, re.I)
    too_long = len(re.sub(r"data:[^\"']*", "", html)) > _MAX_HTML
    return html if is_needed and has_content and not too_long else ""
