"""The places: what is otherwise there than on the machine of whoever wrote this."""

import os
import sys
from dataclasses import dataclass

SYSTEM_PYTHON = "/usr/bin/python3"
HARD = (
    "Ada's Übungen (neu) & λ"  # spaces, an apostrophe, brackets, an ampersand, letters beyond ASCII and beyond Latin-1
)


@dataclass(frozen=True)
class Place:
    """One place. What is not said is as usual: root, a plain path, UTF-8, a home to write to."""

    name: str
    says: str
    folder: str = "course"
    user: str = "root"  # "newcomer", an account made for it; "nameless", an id that no passwd file knows
    python: str = getattr(sys, "_base_executable", sys.executable)
    home: str = "own"  # "read-only", or "" for none: no HOME in the environment
    locale: str = "C.UTF-8"  # "" for none
    time_zone: str = ""
    terminal: str = "xterm"  # "" for none: no TERM
    scratch: str = ""  # the folder that TMPDIR names
    umask: int = 0o022


PLACES = (
    Place("plain", "root, a plain path"),
    Place("hard path", f"a checkout in `{HARD}`", folder=HARD, scratch="my scratch"),
    Place("user", "an ordinary user with the system's own Python", user="newcomer", python=SYSTEM_PYTHON),
    Place(
        "locked down",
        "an ordinary user, a read-only home, no `TERM`, umask 077",
        user="newcomer",
        python=SYSTEM_PYTHON,
        home="read-only",
        terminal="",
        umask=0o077,
    ),
    Place(
        "nameless",
        "a user id without an account, as containers give, and no `HOME`",
        user="nameless",
        python=SYSTEM_PYTHON,
        home="",
    ),
    Place("cron", "nothing but `PATH` in the environment", home="", locale="", terminal=""),
    Place("turkish", "`tr_TR.UTF-8`, Asia/Kathmandu", locale="tr_TR.UTF-8", time_zone="Asia/Kathmandu"),
    Place("latin-1", "`de_DE.ISO-8859-1`, America/St_Johns", locale="de_DE.ISO-8859-1", time_zone="America/St_Johns"),
    Place(
        "all at once",
        f"an ordinary user with the system's own Python, `{HARD}`, a read-only home, no `TERM`, `tr_TR.UTF-8`, "
        "Asia/Kathmandu, umask 077",
        folder=HARD,
        user="newcomer",
        python=SYSTEM_PYTHON,
        home="read-only",
        locale="tr_TR.UTF-8",
        time_zone="Asia/Kathmandu",
        terminal="",
        scratch="my scratch",
        umask=0o077,
    ),
)

# How this machine reaches its packages and computes is no part of a place.
_KEPT = ("PIP_", "SSL_CERT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "OPENBLAS_")


def environment(place: Place, home: str, scratch: str, locales: str) -> dict[str, str]:
    """The variables of a process at this place.

    Args:
        place: Where.
        home: Its home folder.
        scratch: What TMPDIR names, where the place has a scratch folder.
        locales: The folder in which its locale was made.
    """
    found = {name: value for name, value in os.environ.items() if name.upper().startswith(_KEPT)}
    found["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    chosen = {
        "HOME": home if place.home else "",
        "LC_ALL": place.locale,
        "LOCPATH": locales if place.locale and not place.locale.startswith("C") else "",
        "TZ": place.time_zone,
        "TERM": place.terminal,
        "TMPDIR": scratch if place.scratch else "",
    }
    return found | {name: value for name, value in chosen.items() if value}
