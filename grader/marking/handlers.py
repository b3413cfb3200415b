"""One class for each kind of address: what it takes, what it answers. What it means is in `api`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import jinja2
from tornado import web
from tornado.iostream import StreamClosedError

from grader.marking import api, guard
from grader.marking.answers import picture
from grader.marking.desk import Desk
from grader.marking.events import BadInput
from grader.marking.office import Office
from grader.marking.pictures import NoPicture, redrawn
from grader.marking.reports import export_sheet, write_reports
from grader.marking.steps import Stale

PAGE = Path(__file__).parent / "page"
_FILES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_KNOWN = {path.name: path.read_bytes() for path in PAGE.iterdir() if path.suffix in _FILES}
_TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(PAGE), autoescape=True, undefined=jinja2.StrictUndefined)
_HEARTBEAT_SECONDS = 15


class Guarded(web.RequestHandler):
    """What all pages share: the checks of `guard` before, its headers after."""

    is_change, needs_session = False, True
    who = ""

    def initialize(self, office: Office) -> None:
        self.office, self.desk = office, office.desk

    def set_default_headers(self) -> None:
        for name, value in guard.HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        if reason := guard.refusal(self.request, self.office.names, self.is_change):
            raise web.HTTPError(403, reason=None, log_message=reason)
        if self.needs_session:
            self.who = self.desk.people.who(self.get_cookie(self.office.cookie, "") or "") or ""
            if not self.who:
                raise web.HTTPError(401)

    def write_error(self, status_code: int, **_: Any) -> None:
        sentences = {
            401: "This page needs your own one-time address: the terminal where it was started shows it, or whoever started it sends you one.",
            403: "This request did not come from the page itself.",
            404: "There is nothing here.",
        }
        self.finish({"error": sentences.get(status_code, "The page's server failed; nothing was stored.")})


class Join(Guarded):
    """A one-time address: it gives a cookie, and goes on to the page from there, so that the cookie comes along."""

    needs_session = False

    def get(self, token: str) -> None:
        session = self.desk.people.join(token)
        if session is None:
            self.set_status(403)
            self.finish(_TEMPLATES.get_template("closed.html").render(reason="used"))
            return
        is_secure = self.request.protocol == "https"
        self.set_cookie(
            self.office.cookie, session, httponly=True, samesite="Strict", secure=is_secure, path="/", expires_days=14
        )
        self.set_header("Refresh", "0; url=/")
        self.finish(_TEMPLATES.get_template("closed.html").render(reason="open"))


class Shell(Guarded):
    """The page itself; what it shows it asks for."""

    needs_session = False

    def get(self, *_: str) -> None:
        who = self.desk.people.who(self.get_cookie(self.office.cookie, "") or "")
        if who is None:
            self.set_status(401)
            self.finish(_TEMPLATES.get_template("closed.html").render(reason="stranger"))
            return
        self.finish(
            _TEMPLATES.get_template("mark.html").render(
                who=who, folder=self.desk.folder.name, lead=self.desk.people.lead
            )
        )


class File(Guarded):
    """Our own script and style: nothing else is ever run or applied."""

    needs_session = False

    def get(self, name: str) -> None:
        if name not in _KNOWN:
            raise web.HTTPError(404)
        self.set_header("Content-Type", _FILES[Path(name).suffix])
        self.finish(_KNOWN[name])


class Read(Guarded):
    """Everything that is asked."""

    async def get(self, what: str) -> None:
        if what not in api.READ:
            raise web.HTTPError(404)
        asked = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        try:
            self.desk.ledger.refresh()
            await self.office.set_texts(api.texts(self.desk, what, asked))
            found = api.READ[what](self.desk, self.who, asked)
        except LookupError:
            raise web.HTTPError(404) from None
        except BadInput as error:
            self.set_status(400)
            found = {"error": str(error)}
        self.finish(found)
        self.office.look_ahead(api.texts_ahead(self.desk, self.who, found) if what == "answer" else [])


class Change(Guarded):
    """Everything that is sent."""

    is_change = True

    def post(self, what: str) -> None:
        if what not in api.WRITE:
            raise web.HTTPError(404)
        try:
            sent = json.loads(self.request.body)
            if not isinstance(sent, dict):
                raise BadInput("Expected one object: reload the page.")
            done = api.WRITE[what](self.desk, self.who, sent)
        except Stale as error:
            self.set_status(409)
            done = {"error": str(error)}
        except (api.Refused, BadInput) as error:
            self.set_status(403 if isinstance(error, api.Refused) else 400)
            done = {"error": str(error)}
        except (ValueError, RecursionError):
            self.set_status(400)
            done = {"error": "Expected JSON: reload the page."}
        except LookupError:
            self.set_status(404)
            done = {"error": "There is no such answer any more: reload the page."}
        else:
            self._tell(what, sent, done)
        self.finish(done)

    def _tell(self, what: str, sent: dict[str, Any], done: dict[str, Any]) -> None:
        if what == "here" and not done.pop("is_news"):
            return
        place = {name: sent[name] for name in ("check", "id") if isinstance(sent.get(name), str)}
        self.office.tell({"kind": what, "who": self.who, "page": str(sent.get("page", ""))[:40], **place})


class Picture(Guarded):
    """A student's picture, drawn anew."""

    async def get(self, check: str, number: str, nth: str) -> None:
        try:
            found = self.desk.answer(check, number)
            data = await self.office.run(_redrawn, self.desk, found.student, check, int(nth))
        except (LookupError, NoPicture):
            raise web.HTTPError(404) from None
        self.set_header("Content-Type", "image/png")
        self.set_header("Cache-Control", "private, max-age=3600")
        self.finish(data)


def _redrawn(desk: Desk, student: str, check: str, number: int) -> bytes:
    return redrawn(picture(desk.classroom, student, check, number))


class News(Guarded):
    """What happens, as it happens (server-sent events)."""

    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        mine: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.office.listeners[mine] = self.who
        try:
            self.write("retry: 1000\n\n")
            await self.flush()
            # At the end too: `wait_for` may swallow the cancellation, where news come in with it.
            while not self.office.is_closed:
                try:
                    news = await asyncio.wait_for(mine.get(), _HEARTBEAT_SECONDS)
                    self.write(f"data: {json.dumps(news)}\n\n")
                except (asyncio.TimeoutError, TimeoutError):
                    self.write(": here\n\n")
                await self.flush()
        except StreamClosedError:
            pass
        finally:
            self.office.listeners.pop(mine, None)

    def on_connection_close(self) -> None:
        for listener, who in list(self.office.listeners.items()):
            if who == self.who:
                listener.put_nowait({"kind": "quiet"})  # wakes the loop above, which finds the stream closed


class Reports(Guarded):
    """Write what is made from the marks: feedback, grades, the class page."""

    is_change = True

    async def post(self) -> None:
        try:
            said = await self.office.run(write_reports, self.desk.folder)
        except (RuntimeError, OSError) as error:  # another run holds the folder, or it cannot be written
            self.set_status(409)
            said = str(error)
        self.finish({"said" if self.get_status() == 200 else "error": said})


class Sheet(Guarded):
    """The marks as a CSV sheet."""

    async def get(self) -> None:
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", 'attachment; filename="points.csv"')
        self.finish(await self.office.run(export_sheet, self.desk.folder))


class Nothing(Guarded):
    """Every other address."""

    def get(self) -> None:
        raise web.HTTPError(404)

    post = put = delete = head = patch = options = get
