"""JupyterLab on a folder, and a notebook in it as a student's hands reach it."""

import contextlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NOWHERE = "http://127.0.0.1:9"  # a proxy that refuses
_SECONDS = 300  # for one step on a busy machine: states are waited for, this only ends a test that hangs
_OWN = ("PYTHONPATH", "JPY_SESSION_NAME", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "PYTEST_CURRENT_TEST")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

# The open notebook's widget; its cells are drawn only where they are looked at, so that states are asked of the model.
_BOOK = "window.jupyterapp.shell.currentWidget"


@contextlib.contextmanager
def running(folder: Path, place: Path) -> Iterator[tuple[str, str]]:
    """A server on a folder that knows nothing of this project; its address and its token.

    Args:
        folder: What it shows: the unpacked bundle.
        place: An empty folder for its settings.

    Raises:
        AssertionError: If it does not start.
    """
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    token = secrets.token_hex(16)
    environment = {name: value for name, value in os.environ.items() if name not in _OWN}
    environment |= {"FAST": "1", "OMP_NUM_THREADS": "1", "HOME": str(place), "DATA_DIR": str(place / "data")}
    environment |= {"JUPYTER_CONFIG_DIR": str(place / "config"), "JUPYTER_RUNTIME_DIR": str(place / "runtime")}
    environment |= {
        "JUPYTERLAB_SETTINGS_DIR": str(place / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(place / "spaces"),
    }
    environment |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), _NOWHERE)
    environment |= dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost")
    options = [
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        "--no-browser",
    ]
    options += [
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        "--expose-app-in-browser",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    asked = place / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    asked.parent.mkdir(parents=True)
    asked.write_text('{"fetchNews": "false"}', encoding="utf-8")  # else its question lies on the sliders
    log = (place / "server.log").open("w", encoding="utf-8")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", *options], cwd=folder, env=environment, stdout=log, stderr=log
    )
    try:
        _until_it_answers(f"http://127.0.0.1:{port}/api?token={token}", server, place / "server.log")
        yield f"http://127.0.0.1:{port}", token
    finally:
        server.terminate()  # it ends its kernels
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()


def _until_it_answers(address: str, server: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + _SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        assert server.poll() is None, f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-3000:]}"
        with contextlib.suppress(urllib.error.URLError, OSError):
            if "version" in json.load(opener.open(address, timeout=5)):
                return
        assert time.monotonic() < end, f"JupyterLab does not answer:\n{log.read_text(encoding='utf-8')[-3000:]}"
        time.sleep(0.1)


@dataclass
class Book:
    """A notebook that is open in a page; cells are counted from 0."""

    page: Any

    @classmethod
    def open(cls, browser: Any, address: str, token: str, name: str) -> "Book":
        """Open a notebook of the folder `notebooks` and wait until its kernel is there."""
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(_SECONDS * 1000)
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(f"{address}/lab/tree/notebooks/{name}.ipynb?token={token}")
        book = cls(page)
        book.until("window.jupyterapp?.shell?.currentWidget?.content?.model?.cells?.length > 3")
        book.until(f"{_BOOK}.context.isReady && {_BOOK}.sessionContext.session?.kernel?.status === 'idle'")
        return book

    def until(self, expression: str, **values: Any) -> None:
        """Wait until a condition holds in the page."""
        self.page.wait_for_function(f"(given) => Boolean({expression})", arg=values, polling=50)

    def cells(self) -> list[dict[str, Any]]:
        """Every cell as the page has it, outputs included."""
        return self.page.evaluate(f"{_BOOK}.context.model.toJSON().cells")

    def said(self, number: int) -> str:
        """What a cell printed and showed, in words."""
        texts = []
        for output in self.cells()[number].get("outputs", []):
            text = output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue") or ""
            texts.append(text if isinstance(text, str) else "".join(text))
        return _COLOURS.sub("", "".join(texts))

    def go_to(self, number: int) -> None:
        """Select a cell and look at it, in command mode."""
        script = (
            f"async (n) => {{ const c = {_BOOK}.content; c.mode = 'command'; c.deselectAll(); c.activeCellIndex = n; "
        )
        self.page.evaluate(script + "await c.scrollToItem(n, 'center'); c.activeCell.node.focus(); }", number)
        self.until(
            f"{_BOOK}.content.activeCell?.node.isConnected && {_BOOK}.content.activeCellIndex === given.n", n=number
        )

    def run(self, number: int) -> str:
        """Press Ctrl+Enter in a cell, wait for its end; what it said."""
        self.go_to(number)
        before = self._count(number)
        self.page.keyboard.press("Control+Enter")
        if self.cells()[number]["cell_type"] == "code":
            has_run = "m => ![given.before, null].includes(m.executionCount) && m.executionState === 'idle'"
            self.until(f"({has_run})({_BOOK}.context.model.cells.get(given.n))", n=number, before=before)
            self.until_quiet()
        return self.said(number)

    def write(self, number: int, text: str) -> None:
        """Replace a cell's text at the keyboard."""
        self.go_to(number)
        self.page.keyboard.press("Enter")
        self.until(f"{_BOOK}.content.mode === 'edit' && {_BOOK}.content.activeCell.editor?.hasFocus()")
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)
        self.until(f"{_BOOK}.context.model.cells.get(given.n).sharedModel.source === given.text", n=number, text=text)
        self.page.keyboard.press("Escape")

    def run_all(self) -> None:
        """Run > Run All Cells, by the menu; wait until the last code cell has run, or one has stopped the rest.

        A notebook takes a minute or ten; what ends the wait is that no cell ends for the time of one step.
        """
        before = self.page.evaluate(_LAST_COUNT)
        self.page.click(".jp-MenuBar-item:has-text('Run'), .lm-MenuBar-item:has-text('Run')")
        self.page.click(".lm-Menu-item[data-command='runmenu:run-all']")
        over = f"({_LAST_COUNT} > given.before || {_STOPPED})"
        while not self.page.evaluate(f"(given) => {over}", {"before": before}):
            self.until(f"{over} || {_WAITING} !== given.waiting", before=before, waiting=self.page.evaluate(_WAITING))
        self.until_quiet()

    def until_quiet(self) -> None:
        """Until the kernel is idle and no cell waits for it."""
        self.until(
            f"{_BOOK}.sessionContext.session?.kernel?.status === 'idle' && [...Array({_BOOK}.context.model.cells.length).keys()]"
            f".every(n => (m => m.type !== 'code' || m.executionState === 'idle')({_BOOK}.context.model.cells.get(n)))"
        )

    def save(self) -> None:
        """Ctrl+S, and until it is on the disk."""
        self.page.keyboard.press("Control+s")
        self.until(f"!{_BOOK}.context.model.dirty")

    def _count(self, number: int) -> int | None:
        return self.page.evaluate(f"(n) => {_BOOK}.context.model.cells.get(n).executionCount ?? null", number)


# Of the open notebook's code cells: how often the last had run, how many still wait for their turn, whether one raised.
_CODE = f"[...{_BOOK}.context.model.cells].filter(m => m.type === 'code')"
_LAST_COUNT = f"({_CODE}.at(-1).executionCount ?? 0)"
_WAITING = f"{_CODE}.filter(m => m.executionState === 'running').length"
_STOPPED = f"{_CODE}.some(m => [...Array(m.outputs.length).keys()].some(n => m.outputs.get(n).type === 'error'))"
