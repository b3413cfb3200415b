"""What every request and every answer must hold to, before anything is read or shown.

The page listens on loopback unless told otherwise. A browser on this machine is still used by other sites, so a request is
served only if its host is one we answer for (no rebinding of names), comes from our own page (`Origin`, `Sec-Fetch-Site`),
and carries a session's cookie that no other site's request carries (`SameSite=Strict`) and no script can read (`HttpOnly`).
"""

import ipaddress
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types page"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cache-Control": "no-store",
    "Server": "marking",
}


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def refusal(request: HTTPServerRequest, names: frozenset[str], is_change: bool) -> str:
    """Why a request is not served; "" if it may be.

    Args:
        request: Its headers.
        names: Host names that this page answers for, beside those of loopback.
        is_change: Whether it would change anything.
    """
    host = urlsplit(f"//{request.host}").hostname or ""
    if not (host in names or (not names and is_loopback(host))):
        return f"This page does not answer for {host[:60]!r}: use the address that the terminal shows."
    site = request.headers.get("Sec-Fetch-Site", "same-origin" if not is_change else "")
    if is_change:
        if request.headers.get("Origin") != f"{request.protocol}://{request.host}" or site not in ("", "same-origin"):
            return "This came from another page than ours: reload the page."
        if request.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
            return "Expected JSON: reload the page."
    elif site not in ("same-origin", "none") and request.headers.get("Sec-Fetch-Mode") != "navigate":
        return "This came from another page than ours: reload the page."
    return ""


def cookie_name(port: int) -> str:
    """Cookies do not know ports: two pages on one machine need two names."""
    return f"marking-{port}"
