"""Results that are remembered by a text's digest, so that no text stays in memory: a class holds the same cells again and again."""

import hashlib
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


class ByDigest(Generic[T]):
    """A function of one text that remembers what it returned, as `functools.lru_cache` does, but not the texts."""

    def __init__(self, function: Callable[[str], T], most: int, is_kept: Callable[[Any], bool]) -> None:
        self._function, self._most, self._is_kept = function, most, is_kept
        self._known: dict[bytes, T] = {}
        update_wrapper(self, function)

    def __call__(self, text: str) -> T:
        key = digest(text)
        if key in self._known:
            return self._known[key]
        made = self._function(text)
        if self._is_kept(made):
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[key] = made
        return made

    def cache_clear(self) -> None:
        """Forget everything."""
        self._known.clear()


class _Decorator(Protocol):
    def __call__(self, function: Callable[[str], T], /) -> ByDigest[T]: ...


def by_digest(most: int = 4096, is_kept: Callable[[Any], bool] = lambda made: True) -> _Decorator:
    """Remember what a function of one text returns.

    Args:
        most: Texts that are remembered; with one more, all are forgotten.
        is_kept: Whether a result is small enough to keep.
    """

    def decorated(function: Callable[[str], T]) -> ByDigest[T]:
        return ByDigest(function, most, is_kept)

    return decorated


def digest(text: str) -> bytes:
    """16 bytes that stand for a text."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
