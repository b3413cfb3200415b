"""The page's server: tornado, one thread; what takes long (formulas, pictures, reading a class) happens beside it."""

import ssl
from socket import socket

from tornado import web
from tornado.httpserver import HTTPServer

from grader.marking.handlers import Change, File, Join, News, Nothing, Picture, Read, Reports, Sheet, Shell
from grader.marking.office import Office

__all__ = ["Office", "application", "serve"]
_BODY_BYTES = 256 * 1024


def application(office: Office) -> web.Application:
    """All addresses of the page."""
    about = {"office": office}
    return web.Application(
        [
            (r"/join/([\w-]{10,80})", Join, about),
            (r"/(?:mark(?:/.*)?|student/\w+|students|team)?", Shell, about),
            (r"/page/([\w.]+)", File, about),
            (r"/api/news", News, about),
            (r"/api/reports", Reports, about),
            (r"/api/(\w+)", Read, about),
            (r"/do/(\w+)", Change, about),
            (r"/picture/([\w.]+)/(\w+)/(\d{1,2})", Picture, about),
            (r"/points.csv", Sheet, about),
        ],
        default_handler_class=Nothing,
        default_handler_args=about,
        log_function=lambda handler: None,
    )


def serve(office: Office, sockets: list[socket], tls: ssl.SSLContext | None = None) -> HTTPServer:
    """Start answering on sockets that are bound already."""
    server = HTTPServer(application(office), ssl_options=tls, max_body_size=_BODY_BYTES, max_header_size=32 * 1024)
    server.add_sockets(sockets)
    return server
