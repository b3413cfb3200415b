"""`python -m grader mark RESULTS`: open the page, say how to get in, and write the reports at the end."""

import argparse
import asyncio
import os
import signal
import socket
import ssl
import sys
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Any

from grader.marking.guard import is_loopback
from grader.marking.options import add_options, brought
from grader.marking.store import StoreError
from grader.marking.tables import SheetError

_PORT = 8765


def add_parser(commands: Any) -> None:
    """Add the command to those of `python -m grader`."""
    mark = commands.add_parser("mark", help="mark what waits for a person, in the browser")
    mark.add_argument("results", type=Path, metavar="RESULTS", help="a folder that `grade --out` has written")
    mark.add_argument(
        "--as", dest="who", default=None, metavar="NAME", help="your name as a marker (default: your login)"
    )
    mark.add_argument(
        "--colleague", action="append", default=[], metavar="NAME", help="make a one-time address for NAME as well"
    )
    mark.add_argument(
        "--port", type=_port, default=None, metavar="N", help=f"where to listen (default: {_PORT}, or a free one)"
    )
    mark.add_argument("--no-browser", action="store_true", help="only show the address")
    mark.add_argument(
        "--listen", default="127.0.0.1", metavar="ADDRESS", help="another address of this machine; needs --cert"
    )
    mark.add_argument("--cert", type=Path, metavar="FILE", help="certificate chain for it, PEM")
    mark.add_argument("--key", type=Path, metavar="FILE", help="its private key, PEM")
    mark.add_argument("--write", action="store_true", help="open nothing: write reports from the marks there are")
    mark.add_argument("--sheet", type=Path, metavar="FILE", help="open nothing: write the marks as a CSV sheet")
    mark.add_argument("--fill", type=Path, metavar="FILE", help="with --write: a Canvas or Moodle grade file to fill")
    mark.add_argument("--column", metavar="TITLE", help="which column of it, where several would do")
    mark.add_argument(
        "--trust-names",
        action="store_true",
        help="a name that one person alone has in the grade file says whose row it is",
    )
    add_options(mark)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port, 0 to 65535")
    return int(text)


def mark(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code.

    Raises:
        NothingToMark, StoreError, SheetError, FolderInUse, GradebookError: Each with one sentence.
    """
    from grader.marking.reports import export_sheet, write_reports
    from grader.platforms.gradebooks import read_gradebook

    if options.sheet:
        if options.sheet.exists():
            raise StoreError(f"{options.sheet} is there already, and no sheet is written over: name another file.")
        options.sheet.write_text(export_sheet(options.results), encoding="utf-8")
        print(f"{options.sheet}: the marks as a sheet; what still waits is empty.")
    if missing := next((path for path in options.by_hand if not path.exists()), None):
        raise SheetError(f"{missing} does not exist: --sheet {missing} writes a sheet to fill in.")
    given = brought(options)
    is_writing = options.write or options.fill or given.is_something or given.ends_late_rule
    if is_writing:
        book = read_gradebook(options.fill) if options.fill else None
        print(write_reports(options.results, book, options.column, given, options.fill_also, options.trust_names))
    if is_writing or options.sheet:
        return 0
    return _open(options)


def _open(options: argparse.Namespace) -> int:
    from grader.marking.desk import Desk
    from grader.marking.events import BadInput
    from grader.marking.people import marker_name
    from grader.marking.reports import write_reports

    tls = _tls(options)
    try:
        lead, colleagues = marker_name(options.who or _login()), [marker_name(name) for name in options.colleague]
    except BadInput as error:
        raise StoreError(str(error)) from None
    desk = Desk(options.results, lead)
    before = desk.ledger.state.last
    try:
        asyncio.run(_serve(desk, options, colleagues, tls))
    except KeyboardInterrupt:
        pass
    finally:
        changed = desk.ledger.state.last != before
        desk.close()
    print("\nClosed. Every mark is in", desk.ledger.path)
    if changed:
        print("Writing the reports with the new marks; Ctrl-C leaves them for later (--write) ...", flush=True)
        with suppress(KeyboardInterrupt):
            print(write_reports(options.results))
    return 0


def _login() -> str:
    return os.environ.get("LOGNAME") or os.environ.get("USER") or "marker"


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    if not options.cert:
        if not is_loopback(options.listen):
            raise StoreError(
                f"{options.listen} is reachable by others: give --cert and --key, so that nobody reads along, or keep to 127.0.0.1 and a tunnel."
            )
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.cert, options.key)
    except (OSError, ssl.SSLError) as error:
        raise StoreError(f"The certificate {options.cert} cannot be used ({error}): give PEM files.") from None
    return context


def _sockets(options: argparse.Namespace) -> list[socket.socket]:
    from tornado.netutil import bind_sockets

    ports = [options.port] if options.port is not None else [_PORT, 0]
    for port in ports:
        with suppress(OSError):
            return bind_sockets(port, options.listen, reuse_port=False)
    raise StoreError(f"Nothing can listen on {options.listen}, port {ports[0]}: name another with --port.")


async def _serve(desk: Any, options: argparse.Namespace, colleagues: list[str], tls: ssl.SSLContext | None) -> None:
    from grader.marking.server import Office, serve

    sockets = _sockets(options)
    port = sockets[0].getsockname()[1]
    host = "127.0.0.1" if is_loopback(options.listen) else options.listen
    if options.listen in ("0.0.0.0", "::"):  # every address of this machine: people need one by name
        host = socket.getfqdn()
    names = (
        frozenset()
        if is_loopback(options.listen)
        else frozenset({options.listen, socket.getfqdn(), socket.gethostname()})
    )
    office = Office(desk, port, names)
    server = serve(office, sockets, tls)
    base = f"{'https' if tls else 'http'}://{host}:{port}"
    address = f"{base}/join/{desk.people.new_address(desk.people.lead)}"
    print(_welcome(desk, address, base, port, colleagues, is_local=not names), flush=True)
    if not options.no_browser and sys.stdout.isatty():
        webbrowser.open(address)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for what in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(what, stop.set)
    watching = asyncio.create_task(office.watch())
    await stop.wait()
    watching.cancel()
    server.stop()
    office.close()


def _welcome(desk: Any, address: str, base: str, port: int, colleagues: list[str], is_local: bool) -> str:
    """What the terminal says: the address, and how a colleague joins."""
    lines = [
        f"{len(desk.classroom.parts)} parts of {len(desk.ids)} submissions wait in {desk.folder}. Your page, for one use within the hour:",
        f"    {address}",
    ]
    for name in colleagues:
        lines.append(f"For {name}, once, within a week:\n    {base}/join/{desk.people.new_address(name)}")
    if is_local:
        lines.append(
            f"A colleague joins with an address of their own (--colleague NAME, or Team on the page) and, from another machine,\n"
            f"    ssh -N -L {port}:127.0.0.1:{port} {_login()}@{socket.gethostname()}"
        )
    lines.append("Every step is stored at once. Ctrl-C closes the page and writes the reports.")
    return "\n".join(lines)
