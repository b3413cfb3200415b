"""Which file is the running notebook: the one the editor names, else the newest of the folder with this content."""

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from utils.notebook.cells import NotebookError, read_notebook
from utils.notebook.recognition import recognise
from utils.submission.session import running_shell

_COLAB = (
    "On Colab the notebook is not a file beside this kernel: choose File > Download > Download .ipynb, upload that "
    "file with the Files panel on the left, and run this cell again."
)
_LOCAL = "Save it, and start Jupyter so that it opens from its own folder."
_COLAB_SECONDS = 30
_WRITING_SECONDS, _NEW_SECONDS = 1.0, 10.0
_fetched: dict[Path, float] = {}  # files that Colab's page handed over, and their times then


def find_notebook(name: str) -> Path | None:
    """Find the file of the notebook that is running; print one sentence when there is none or a choice.

    Args:
        name: The notebook's name, e.g. "07_flows".

    Returns:
        The file, or None.
    """
    _fetched.clear()
    if is_colab() and (fetched := _fetch_from_colab(name)):
        return fetched
    for named in _named_by_editor():
        if named.suffix == ".ipynb" and _holds(named, name):
            return named
    candidates = sorted(path for path in Path.cwd().glob("*.ipynb") if _holds(path, name))
    if len(candidates) > 1:
        print(f"Several files hold this notebook: {', '.join(p.name for p in candidates)}; the newest is taken.")
    if not candidates:
        place = _COLAB if is_colab() else _LOCAL
        print(f"No file of {name} is found in the folder of this kernel ({Path.cwd().name}). {place}")
    return max(candidates, key=lambda path: path.stat().st_mtime, default=None)


def is_colab() -> bool:
    """Whether this runs on Google Colab."""
    return "google.colab" in sys.modules


def is_of_page(path: Path) -> bool:
    """Whether a file is what the page of Colab handed over in this call: what is on the screen."""
    return path in _fetched and _fetched[path] == path.stat().st_mtime


def _named_by_editor() -> list[Path]:
    """Jupyter names the file in the environment, VS Code in the kernel's names."""
    shell = running_shell()
    names = [os.environ.get("JPY_SESSION_NAME"), shell.user_ns.get("__vsc_ipynb_file__") if shell else None]
    return [Path(name) for name in names if name]


def _holds(path: Path, name: str) -> bool:
    """Whether a file is this notebook; read once more where an editor may be writing it."""
    for pause in (0.0, _WRITING_SECONDS):
        time.sleep(pause)
        try:
            recognised = recognise(read_notebook(path.read_bytes()))
            return recognised is not None and recognised[0].notebook == name
        except (NotebookError, OSError):
            if not _is_new(path):
                break
    return False


def _is_new(path: Path) -> bool:
    with suppress(OSError):
        return abs(time.time() - path.stat().st_mtime) < _NEW_SECONDS
    return False


def _fetch_from_colab(name: str) -> Path | None:
    """Ask Colab's page for the notebook as it stands there and write it beside the kernel.

    The request is Colab's own, undocumented one; when it fails, the student is told how to bring the file.
    """
    try:
        from google.colab import _message

        content = _message.blocking_request("get_ipynb", timeout_sec=_COLAB_SECONDS)["ipynb"]
        path = Path.cwd() / f"{name}.ipynb"
        path.write_text(json.dumps(content), encoding="utf-8")
        _fetched[path] = path.stat().st_mtime
    except Exception:  # not ours to know what it raises; None asks the student instead
        return None
    return path if _holds(path, name) else None
