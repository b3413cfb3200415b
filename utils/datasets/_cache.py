"""Where downloaded data lies, what is said about it, and how a download that cannot work ends quickly.

A data set is real or it is a stand-in of the same shape, dtype and range; it carries a `Source` that says which, and
every figure drawn from it takes its title from `Source.title`, so that a stand-in is never mistaken for the real thing.
"""

import contextlib
import http.client
import io
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECONDS = 8.0  # for one answer of the server, not for the whole download
_BUNDLE = Path(__file__).resolve().parents[2]
_DOWNLOAD_ERRORS = (OSError, RuntimeError, EOFError, http.client.HTTPException)  # URLError and timeouts are OSErrors


@dataclass(frozen=True)
class Source:
    """Where a data set's images come from.

    Attributes:
        name: What a figure's title calls it, such as "MNIST" or "scikit-learn digits".
        is_stand_in: True when the real data could not be had.
    """

    name: str
    is_stand_in: bool = False

    def __str__(self) -> str:
        return self.name

    def title(self, text: str, ours: str = "") -> str:
        """`text`, followed by the source's name when the data is a stand-in.

        Args:
            text: What to look at.
            ours: What `whose` says of the networks whose work is all that the picture shows; where they are of ours, it
                stands there in the place of this source, which they have not seen.
        """
        return text + ours if ours or not self.is_stand_in else f"{text} (stand-in data: {self.name})"


def data_dir() -> Path:
    """The folder where data sets are looked for and downloaded to.

    Returns:
        The folder in the environment variable DATA_DIR, else the bundle's `data/`. It need not exist yet.
    """
    chosen = os.environ.get("DATA_DIR")
    return Path(chosen).expanduser() if chosen else _BUNDLE / "data"


def shorten(folder: Path) -> str:
    """The folder as seen from here, so that no user's name gets into a notebook that is handed in."""
    if os.environ.get("DATA_DIR") and folder.is_relative_to(data_dir()):
        return str(Path("DATA_DIR", folder.relative_to(data_dir())))
    try:
        return os.path.relpath(folder)
    except ValueError:  # on another Windows drive
        return folder.name


def announce(text: str) -> None:
    """Print what is to be said about data at once, so that it stands above the progress bar it belongs to."""
    print(text, flush=True)


def try_download(download: Callable[[], object]) -> str | None:
    """Run a torchvision download that gives up after `TIMEOUT_SECONDS` without an answer.

    torchvision sets no timeout of its own and narrates its retries on stdout; its progress bar (stderr) is kept.

    Args:
        download: Fetches, checks and unpacks the files; called without arguments.

    Returns:
        None when it worked, else the reason as one short sentence.
    """
    try:
        with _socket_timeout(TIMEOUT_SECONDS), contextlib.redirect_stdout(io.StringIO()):
            download()
    except _DOWNLOAD_ERRORS as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return lines[-1] if lines else type(error).__name__
    return None


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
