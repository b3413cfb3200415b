"""What a hostile answer, another page in the same browser, or a stranger on the network tries on the marking page.

    TEXTS     answers, tried in `tests/grader/marking/test_hostile.py` and in a real browser
    REQUESTS  requests, tried in `tests/grader/marking/test_server.py`

`python -m tests.threat_model` tries both and counts.
"""

import json
from collections.abc import Callable

from tests.marking.running import Client

CANARY = "window.struck"  # a browser in which this is set has run a stranger's script
STRIKE = f"{CANARY}=1"

# By name: what it tries, and the answer.
TEXTS: dict[str, tuple[str, str]] = {
    "script": ("runs a script", f"<script>{STRIKE}</script>"),
    "script_in_a_block": ("runs a script inside Markdown", f"- a\n\n  <script>{STRIKE}</script>\n"),
    "broken_script": ("hides a tag from a careless filter", f"<scr<script>ipt>{STRIKE}</scr</script>ipt>"),
    "image_error": ("runs on a picture that fails", f'<img src=x onerror="{STRIKE}">'),
    "svg_load": ("runs when a drawing loads", f"<svg/onload={STRIKE}>"),
    "svg_animate": ("runs from an animation", f'<svg><animate onbegin="{STRIKE}" attributeName=x dur=1s>'),
    "details_toggle": ("runs when something unfolds", f'<details open ontoggle="{STRIKE}">x</details>'),
    "autofocus": ("runs when it takes the focus", f'<input autofocus onfocus="{STRIKE}">'),
    "link": ("runs on a click", f"[click](javascript:{STRIKE}) <a href='javascript:{STRIKE}'>x</a>"),
    "data_link": ("runs from a data address", f"<a href='data:text/html,<script>{STRIKE}</script>'>x</a>"),
    "frame": ("brings a page along", f'<iframe srcdoc="<script>parent.{STRIKE}</script>"></iframe>'),
    "style": ("hides the page's own words", "<style>*{display:none}</style><p style='position:fixed;inset:0'>full marks</p>"),
    "beacon": ("tells a server that it was read", "![x](http://198.51.100.7/read.png) <img src=//198.51.100.7/x>"),
    "form": ("sends the marker's clicks elsewhere", '<form action="http://198.51.100.7"><button>Next</button></form>'),
    "base": ("bends every address", '<base href="http://198.51.100.7/"><meta http-equiv=refresh content="0;url=//198.51.100.7">'),
    "template": ("is filled in by the server", "{{ 7*7 }}{% include 'closed.html' %} ${7*7} #{7*7}"),
    "math_annotation": ("leaves MathML", f'$<annotation-xml encoding="text/html"><img src=x onerror={STRIKE}>$'),
    "math_link": ("links from a formula", r"$\href{javascript:" + STRIKE + r"}{x}$"),
    "math_html": ("writes HTML in a formula", rf"$\text{{<img src=x onerror={STRIKE}>}}$ $\htmlData{{x}}{{y}}$"),
    "math_namespace": ("confuses a sanitiser", f"<math><mtext><table><mglyph><style><img src=x onerror={STRIKE}>"),
    "noscript": ("confuses a sanitiser", f'<noscript><p title="</noscript><img src=x onerror={STRIKE}>">'),
    "comment": ("ends a comment early", f"<!--><img src=x onerror={STRIKE}>-->"),
    "cdata": ("hides in a section", f"<![CDATA[<img src=x onerror={STRIKE}>]]>"),
    "entities": ("hides in entities", f"&lt;img src=x onerror={STRIKE}&gt; &#60;script&#62;{STRIKE}"),
    "code_fence": ("ends a code block", f"```html\n</code></pre><img src=x onerror={STRIKE}>\n```"),
    "marks": ("forges the marks that formulas leave", "\ue000m0\ue001 \ue000m99999\ue001 $x$ \ue000m0\ue001"),
    "deep": ("nests without end", "<b>" * 4000 + ">" * 3000 + "[" * 3000),
    "wide": ("is a table without end", "|a" * 4000 + "\n" + "|-" * 4000),
    "formulas": ("holds formulas without end", r"$x_{{{{{{{{1}}}}}}}}$ " * 800),
    "directions": ("turns the text round", "full \u202ematks\u202c \u0000 \ud800"),
}  # fmt: skip


def _body(client: Client) -> dict:
    place = client.get("open", check=client.get("overview")["parts"][0]["check"])["open"]
    answer = client.get("answer", **place)
    return {**place, "page": "x", "key": "", "digest": answer["digest"], "base": answer["base"], "mark": {"items": []}}


def _post(client: Client, headers: dict, body: object = None, path: str = "/do/mark", cookie: bool = True) -> int:
    data = json.dumps(_body(client) if body is None else body).encode()
    kept = client.cookie
    if not cookie:
        client.cookie = ""
    try:
        return client.ask("POST", path, data, headers)[0]
    finally:
        client.cookie = kept


def _get(client: Client, path: str, headers: dict | None = None, cookie: bool = True) -> int:
    kept = client.cookie
    if not cookie:
        client.cookie = ""
    try:
        return client.ask("GET", path, None, headers)[0]
    finally:
        client.cookie = kept


_JSON = {"Content-Type": "application/json"}
_READS = "/api/overview"
_ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}


def _ours(client: Client, **more: str) -> dict[str, str]:
    """The headers that our own page sends."""
    return {**_JSON, "Origin": client.base, **more}


def _mark(client: Client, **changed: object) -> int:
    """A mark as the page sends it, but for what is changed."""
    return _post(client, _ours(client), {**_body(client), **changed})


# By name: what it tries, and the request; it returns the status, which must be a refusal.
REQUESTS: dict[str, tuple[str, Callable[[Client], int]]] = {
    "no_session": ("reads without a session", lambda c: _get(c, _READS, cookie=False)),
    "no_session_picture": ("reads a picture without a session", lambda c: _get(c, "/picture/x/y/0", cookie=False)),
    "no_session_sheet": ("takes the sheet without a session", lambda c: _get(c, "/points.csv", cookie=False)),
    "no_session_news": ("listens without a session", lambda c: _get(c, "/api/news", cookie=False)),
    "no_session_mark": ("marks without a session", lambda c: _post(c, _ours(c), cookie=False)),
    "guessed_address": ("guesses a one-time address", lambda c: _get(c, "/join/" + "A" * 32, cookie=False)),
    "rebound_name": ("rebinds a name to this machine", lambda c: _get(c, _READS, {"Host": "evil.example"})),
    "rebound_name_join": ("joins under another name", lambda c: _get(c, "/join/" + "A" * 32, {"Host": "evil.example"})),
    "other_origin": ("marks from another site", lambda c: _post(c, {**_JSON, "Origin": "http://evil.example"})),
    "other_port": ("marks from another port", lambda c: _post(c, {**_JSON, "Origin": "http://127.0.0.1:1"})),
    "null_origin": ("marks from a sandboxed frame", lambda c: _post(c, {**_JSON, "Origin": "null"})),
    "no_origin": ("marks without saying where from", lambda c: _post(c, _JSON)),
    "plain_form": ("marks with a form", lambda c: _post(c, {"Origin": c.base, "Content-Type": "text/plain"})),
    "same_site_other_port": ("marks from a neighbour of this machine", lambda c: _post(c, _ours(c) | {"Sec-Fetch-Site": "same-site"})),
    "cross_site_read": ("reads from another site", lambda c: _get(c, _READS, _ELSEWHERE)),
    "cross_site_picture": ("shows a picture on another site", lambda c: _get(c, "/picture/x/y/0", _ELSEWHERE)),
    "change_by_get": ("marks by a link", lambda c: _get(c, "/do/mark?check=x")),
    "out_of_the_folder": ("reads other files", lambda c: _get(c, "/page/..%2f..%2fstore.py")),
    "out_of_the_folder_plain": ("reads other files", lambda c: _get(c, "/page/../store.py")),
    "other_file": ("reads the page's template", lambda c: _get(c, "/page/mark.html")),
    "database": ("takes the file of marks", lambda c: _get(c, "/marks.sqlite")),
    "no_such_answer": ("marks an answer that is not there", lambda c: _post(c, _ours(c), {"check": "x", "id": "y", "mark": {}})),
    "no_json": ("sends what is no object", lambda c: _post(c, _ours(c), [1])),
    "deep_json": ("sends objects in objects", lambda c: c.ask("POST", "/do/mark", b'{"a":' * 20_000, _ours(c))[0]),
    "wrong_kinds": ("sends other kinds of values", lambda c: _post(c, _ours(c), {"check": ["x"], "id": {}, "mark": 1})),
    "another_s_points": ("gives more than there is", lambda c: _mark(c, mark={"fixed": 1e300})),
    "a_forged_item": ("gives an item that is not there", lambda c: _mark(c, mark={"items": ["forged"]})),
    "an_old_answer": ("marks an answer as it was", lambda c: _mark(c, digest="0" * 32)),
    "query_language": ("writes into the database's language", lambda c: _mark(c, check="x'; DROP TABLE events; --")),
    "too_long": ("sends more than a mark can be", lambda c: _too_long(c)),
    "other_method": ("uses another method", lambda c: c.ask("PUT", "/do/mark", b"{}", _ours(c))[0]),
    "a_marker_invites": ("lets others in without being the lead", lambda c: _post(c, _ours(c), {"person": "Eve"}, "/do/invite")),
    "a_marker_ends": ("shuts the lead out", lambda c: _post(c, _ours(c), {"person": "Ada"}, "/do/end")),
}  # fmt: skip


def _too_long(client: Client) -> int:
    """The server may hang up while the body is still being sent; that is a refusal as well."""
    try:
        return _post(client, _ours(client), {"comment": "x" * 400_000})
    except (ConnectionError, OSError):
        return 413
    finally:
        client.connection.close()
