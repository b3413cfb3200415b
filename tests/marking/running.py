"""The page as a program of its own, as an instructor starts it; and a plain client that speaks to it as the page does."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import urlencode

from tests.places import PROJECT


class Running:
    """with Running(results) as page: page.address"""

    lead: "Client"  # the two who mark in a test, where it has them
    ben: "Client"

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.folder, self.options, self.port = folder, options, port
        self.colleagues: list[str] = []
        self.clients: list[Client] = []

    def __enter__(self) -> "Running":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.connection.close()
        self.stop()

    def client(self, address: str = "", trust: ssl.SSLContext | None = None) -> "Client":
        """A marker without a browser, who comes in with an address; the lead by default."""
        self.clients.append(Client(self.base, (address or self.address).rpartition("/")[2], trust))
        return self.clients[-1]

    def start(self) -> None:
        """Start it and wait until it says how to get in."""
        command = [
            sys.executable,
            "-m",
            "grader",
            "mark",
            str(self.folder),
            "--no-browser",
            "--as",
            "Ada",
            "--port",
            str(self.port),
        ]
        self.process = subprocess.Popen(
            [*command, *self.options],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("Every step"):
                break
        found = re.findall(r"(https?://\S+/join/\S+)", "".join(said))
        assert found, "".join(said)
        self.said, self.address, self.colleagues = "".join(said), found[0], found[1:]
        self.base = self.address.partition("/join/")[0]
        self.port = int(self.base.rpartition(":")[2])

    def kill(self) -> None:
        """As a power cut would: no time for anything."""
        self.process.kill()
        self.process.communicate(timeout=30)

    def stop(self) -> str:
        """As Ctrl-C; returns what it says then."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        if self.process.stdout is not None and self.process.stdout.closed:
            return ""
        said, _ = self.process.communicate(timeout=120)
        return said


class _Encrypted(http.client.HTTPSConnection):
    """To this machine, whatever the page's name: a name server need not know it, the certificate must."""

    def __init__(self, place: str, trust: ssl.SSLContext) -> None:
        super().__init__(place, timeout=60, context=trust)
        self.trust = trust

    def connect(self) -> None:
        bare = socket.create_connection(("127.0.0.1", self.port), 60)
        self.sock = self.trust.wrap_socket(bare, server_hostname=self.host)


class Client:
    """A marker without a browser; with `trust`, one who checks the page's certificate."""

    def __init__(self, base: str, token: str, trust: ssl.SSLContext | None = None) -> None:
        self.base = base
        place = base.partition("://")[2]
        self.connection = _Encrypted(place, trust) if trust else http.client.HTTPConnection(place, timeout=60)
        status, headers, _ = self.ask("GET", f"/join/{token}")
        assert status == 200, status
        self.cookie, _, self.flags = headers["Set-Cookie"].partition(";")

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None):
        """One request; returns status, headers and body."""
        sent = {"Cookie": self.cookie} if hasattr(self, "cookie") else {}
        self.connection.request(method, path, body, {**sent, **(headers or {})})
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def get(self, what: str, **asked: str) -> dict:
        status, _, data = self.ask("GET", f"/api/{what}?{urlencode(asked)}")
        assert status == 200, (status, data)
        return json.loads(data)

    def send(self, what: str, **sent) -> tuple[int, dict]:
        body = json.dumps({"page": "client", "key": uuid.uuid4().hex, **sent}).encode()
        headers = {"Content-Type": "application/json", "Origin": self.base}
        status, _, data = self.ask("POST", f"/do/{what}", body, headers)
        return status, json.loads(data)


def wait_until(holds, seconds: float = 20.0) -> None:
    """Wait for something that a loaded machine may take its time for."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.05)
