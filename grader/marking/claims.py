"""Who is at which answer right now. A claim is a courtesy, not a lock: it expires, and the store refuses what is stale."""

import time
from collections.abc import Callable

SECONDS = 45.0
Place = tuple[str, str]  # student and check


class Claims:
    """One place a page; a page that says nothing for a while has left."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._at: dict[tuple[str, str], tuple[Place, float]] = {}  # by person and page

    def here(self, who: str, page: str, place: Place | None) -> bool:
        """Note where a page is; returns whether that is news."""
        before = self._at.pop((who, page), None)
        if place is not None:
            self._at[who, page] = place, self._now() + SECONDS
        return (before[0] if before and before[1] > self._now() else None) != place

    def others(self, who: str, place: Place) -> list[str]:
        """Who else is at an answer."""
        now = self._now()
        self._at = {key: value for key, value in self._at.items() if value[1] > now}
        return sorted({name for (name, _), (at, _) in self._at.items() if at == place and name != who})
