"""The airfoil profiles of notebook 2, from a file of the bundle that is checked before it is read."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from utils.datasets._cache import Source, data_dir

FILE_NAME = "airfoils.npz"
SHA256 = "a279b4d323ad5abc048ba5f7d1b45ba268b4c7f097437b7929e4fabf8d4301ff"
_BUNDLED = Path(__file__).resolve().parents[2] / "data" / FILE_NAME
_MEND = (
    "unpack the bundle's data folder again, or rebuild it with `python -m data.build_airfoils` (see data/README.md)."
)


class AirfoilFileError(RuntimeError):
    """The data file is missing or is not the one this course was written for; the message says what to do."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows instead of the stack: nothing in it helps to mend a file."""
        return [str(self)]


class AirfoilDataset:
    """1547 wing sections of the UIUC database; one item is `(y, name)`.

    `y` holds 200 heights at fixed positions around the section, from the trailing edge over the upper surface to the
    nose and along the lower surface back. They are scaled by one constant so that the largest |y| of all profiles is 1.

    Attributes:
        profiles: All heights, float32, shape (1547, 200), values in [-1, 1].
        names: The profiles' names, in the order of the items.
        scale: `y / scale` is in chord lengths.

    Raises:
        AirfoilFileError: If `airfoils.npz` is missing or changed.

    Source:
        UIUC Airfoil Coordinates Database (M. Selig); selection and resampling are described in data/README.md.
    """

    def __init__(self) -> None:
        path = _find_file()
        _require_checksum(path)
        with np.load(path, allow_pickle=False) as arrays:
            self.profiles: NDArray[np.float32] = arrays["y"]
            self.names: list[str] = arrays["name"].tolist()
            self.scale = float(arrays["scale"])
            self.source = Source("UIUC airfoils")
            self._x: NDArray[np.float32] = arrays["x"]

    def __len__(self) -> int:
        return len(self.profiles)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], str]:
        """The profile at an index.

        Args:
            index: From 0 to 1546; negative numbers count from the end.

        Returns:
            Heights, float32, shape (200,), a copy; and the profile's name.

        Raises:
            IndexError: If there is no such profile.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"AirfoilDataset: index {index}, expected 0 to {len(self) - 1}.")
        return self.profiles[index].copy(), self.names[index]

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], str]]:
        return (self[index] for index in range(len(self)))

    def get_x(self) -> NDArray[np.float32]:
        """The positions that belong to the heights.

        Returns:
            float32, shape (200,), in chord lengths from 1 (trailing edge) to 0 (nose) and back to 1; a copy.
        """
        return self._x.copy()

    def plot(self, idx: int | Sequence[int] = 0) -> None:
        """Draw one profile or several.

        Args:
            idx: An index, or a list of them.

        Raises:
            IndexError: If there is no such profile.
        """
        from utils.plotting.airfoils import plot_airfoils  # matplotlib is slow to import, and only needed here

        indices = [int(idx)] if np.isscalar(idx) else [int(i) for i in idx]  # type: ignore[arg-type,union-attr]
        items = [self[i] for i in indices]
        plot_airfoils(self._x, np.stack([y for y, _ in items]), [name for _, name in items])


def _find_file() -> Path:
    """`DATA_DIR` comes first, so that a class can share one copy; it may hold other data sets only."""
    for path in (data_dir() / FILE_NAME, _BUNDLED):
        if path.is_file():
            return path
    raise AirfoilFileError(f"AirfoilDataset: {FILE_NAME} is not in {data_dir()}; {_MEND}")


def _require_checksum(path: Path) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise AirfoilFileError(
            f"AirfoilDataset: {path} is damaged or another version (SHA-256 begins {found[:12]}, "
            f"expected {SHA256[:12]}); {_MEND}"
        )
