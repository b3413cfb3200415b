"""The desk while it is open: which pages listen, and what runs beside the one thread that answers."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from grader.marking import guard
from grader.marking.answers import NothingToMark, read_classroom
from grader.marking.desk import Desk
from grader.marking.texts import prepare, ready

_WATCH_SECONDS = 2.0
_FORMULA_SECONDS = 0.04  # an answer is shown as typed rather than late; the page asks again


class Office:
    """One desk, open on one port."""

    def __init__(self, desk: Desk, port: int, names: frozenset[str] = frozenset()) -> None:
        self.desk, self.names, self.cookie = desk, names, guard.cookie_name(port)
        self.listeners: dict[asyncio.Queue[dict[str, Any]], str] = {}
        self.beside = ThreadPoolExecutor(2, thread_name_prefix="marking")
        self.ahead = ThreadPoolExecutor(1, thread_name_prefix="ahead")  # nobody waits for it, and it makes nobody wait
        self.is_closed = False
        self._last = desk.ledger.state.last

    def tell(self, news: dict[str, Any]) -> None:
        """Tell every open page at once."""
        self._last = self.desk.ledger.state.last
        for listener in self.listeners:
            listener.put_nowait(news)

    async def watch(self) -> None:
        """Notice what other programs do: a sheet brought in, a run that wrote new results."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            self.desk.ledger.refresh()
            if self.desk.ledger.state.last != self._last:
                self.tell({"kind": "change"})
            if self.desk.is_behind():
                with suppress(NothingToMark):
                    self.desk.reread(await self.run(read_classroom, self.desk.folder))
                    self.tell({"kind": "results"})

    def run(self, work: Callable[..., Any], *arguments: Any) -> Awaitable[Any]:
        return asyncio.get_running_loop().run_in_executor(self.beside, work, *arguments)

    async def set_texts(self, texts: list[str]) -> None:
        """Have texts rendered, for as long as a reader may wait."""
        todo = [text for text in texts if ready(text) is None]
        if todo:
            await asyncio.wait([asyncio.ensure_future(self.run(prepare, todo))], timeout=_FORMULA_SECONDS)

    def look_ahead(self, texts: list[str]) -> None:
        """Render what somebody will probably read next."""
        todo = [text for text in texts if ready(text) is None]
        if todo:
            self.ahead.submit(prepare, todo)

    def close(self) -> None:
        self.is_closed = True
        for pool in (self.beside, self.ahead):
            pool.shutdown(wait=False, cancel_futures=True)
