"""Who may come in: a one-time address each, then a cookie. The file of marks holds digests of both, never the keys themselves."""

import re
import secrets
import time
from collections.abc import Callable

from grader.marking.events import BadInput
from grader.marking.store import Ledger

ADDRESS_SECONDS = {"lead": 3600.0, "marker": 7 * 86_400.0}
SESSION_SECONDS = 14 * 86_400.0
_NAME = re.compile(r"\w[\w .'-]{0,39}")


class People:
    """Keys to the page. The lead is who started it: only the lead lets others in and gives out shares."""

    def __init__(self, ledger: Ledger, lead: str, now: Callable[[], float] = time.time) -> None:
        self.ledger, self.lead, self._now = ledger, marker_name(lead), now

    def new_address(self, name: str) -> str:
        """A secret that opens the page once, for one person.

        Raises:
            BadInput: If the name will not do.
        """
        name, token = marker_name(name), secrets.token_urlsafe(24)
        seconds = ADDRESS_SECONDS["lead" if name == self.lead else "marker"]
        self.ledger.add_key(token, name, "address", self._now() + seconds)
        return token

    def join(self, token: str) -> str | None:
        """Use up a one-time address; returns the session's secret, or None if the address opens nothing."""
        name = self.ledger.take_key(token, "address", self._now())
        if name is None:
            return None
        session = secrets.token_urlsafe(32)
        self.ledger.add_key(session, name, "session", self._now() + SESSION_SECONDS)
        return session

    def who(self, session: str) -> str | None:
        """Whose session this is."""
        return self.ledger.key(session, "session", self._now()) if session else None

    def end(self, name: str) -> None:
        """Nobody comes in under this name any more."""
        self.ledger.end_keys(name)


def marker_name(text: str) -> str:
    """A marker's name as others read it.

    Raises:
        BadInput: If it will not do.
    """
    name = " ".join(str(text).split())
    if not _NAME.fullmatch(name) or name.startswith("sheet "):
        raise BadInput(f"{name[:60]!r} will not do as a marker's name: use up to 40 letters, digits and spaces.")
    return name
