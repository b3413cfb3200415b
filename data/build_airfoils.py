"""Build data/airfoils.npz from the coordinate files that the AeroSandbox package ships.

    pip download aerosandbox==4.2.10 --no-deps && unzip aerosandbox-*.whl -d aerosandbox-unpacked
    python -m data.build_airfoils --source aerosandbox-unpacked            # writes data/airfoils.npz
    python -m data.build_airfoils --source aerosandbox-unpacked --check    # writes nothing, compares

Only this script needs the package; a student never does. A file becomes a profile in four steps, one function each:
`read_points` (text to points), `normalise` (nose at the origin, trailing edge at x = 1), `resample` (100 fixed x
positions a surface) and, over all profiles, `select`. `data/README.md` states the rule and the numbers for readers.
"""

import argparse
import hashlib
import re
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator

DATABASE = "geometry/airfoil/airfoil_database"
TARGET = Path(__file__).resolve().parent.parent / "data" / "airfoils.npz"
N_PROFILES = 1547
POINTS_PER_SURFACE = 100

MAX_HEIGHT = 0.15  # chord lengths; thicker sections are struts, blade roots and bodies rather than wings
MIN_THICKNESS = 0.002  # chord lengths, between x = 0.1 and 0.9; thinner ones are bent sheets
MAX_TRAILING_EDGE = 0.03  # chord lengths; thicker ones are cut off rather than shaped
MAX_GAP = 0.15  # chord lengths between neighbouring points; wider gaps leave the shape to the interpolation
MIN_POINTS_PER_SURFACE = 8
SAME = 2e-4  # chord lengths; profiles that differ less everywhere count as one
GRID = 2.0**-17  # stored values are multiples of this: finer than the sources' five decimals, and it compresses

# A file that names a copyright holder, a web page, a mail address or the collection Tracfoil, or that has a note after
# its coordinates, was added to the UIUC files from elsewhere.
FOREIGN = re.compile(r"tracfoil|\(c\)|https?:|www\.|@", re.IGNORECASE)

_ANGLE = np.linspace(0.0, np.pi, POINTS_PER_SURFACE)
X_SURFACE = (1.0 - np.cos(_ANGLE)) / 2.0  # nose to trailing edge, dense at both ends
X = np.concatenate([X_SURFACE[::-1], X_SURFACE])  # trailing edge, over the top to the nose, along the bottom back


class UnusableFileError(Exception):
    """The file cannot become a profile; the message is the reason, in two or three words."""


def find_database(source: str | None) -> Path:
    """Find the folder of coordinate files in an unpacked wheel, a source tree, or the installed package."""
    if source is None:
        spec = find_spec("aerosandbox")
        if spec is None or not spec.submodule_search_locations:
            sys.exit("airfoils: the package aerosandbox is not installed; install it or name a folder with --source.")
        source = spec.submodule_search_locations[0]
    for folder in (Path(source), Path(source) / DATABASE, Path(source) / "aerosandbox" / DATABASE):
        if any(folder.glob("*.dat")):
            return folder
    sys.exit(f"airfoils: no coordinate files (*.dat) found in {source}; give the folder the wheel was unpacked into.")


def read_points(text: str) -> np.ndarray:
    """Read the contour, trailing edge to nose to trailing edge, shape (N, 2).

    The first line is the name. Commas, blank lines and lines of domain bounds before the points occur; Lednicer's
    format gives two counts and then both surfaces from the nose.
    """
    if FOREIGN.search(text):
        raise UnusableFileError("not a UIUC file")
    points = []
    for line in text.splitlines()[1:]:
        try:
            values = [float(word) for word in line.replace(",", " ").split()]
        except ValueError:
            if points:
                raise UnusableFileError("not a UIUC file") from None
            continue
        if len(values) == 2:
            points.append(values)
        elif values and points:
            raise UnusableFileError("not two columns")
    if len(points) < 2 * MIN_POINTS_PER_SURFACE:
        raise UnusableFileError("too few points")
    contour = np.array(points)
    if contour[0].min() > 1.5:  # Lednicer's counts
        count = round(contour[0, 0])
        contour = np.concatenate([contour[1 : 1 + count][::-1], contour[1 + count :]])
    return contour


def normalise(contour: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move, turn and scale so that the nose is (0, 0) and the middle of the trailing edge (1, 0).

    Returns:
        Upper and lower surface, each from nose to trailing edge, shape (N, 2), x strictly increasing.
    """
    contour = contour[np.r_[True, np.diff(contour, axis=0).any(axis=1)]]  # a nose that both surfaces list
    tail = (contour[0] + contour[-1]) / 2
    nose_index = int(np.argmax(((contour - tail) ** 2).sum(axis=1)))
    cos, sin = chord = tail - contour[nose_index]
    turned = (contour - contour[nose_index]) @ np.array([[cos, -sin], [sin, cos]]) / (chord @ chord)
    surfaces = [_clean_surface(turned[: nose_index + 1][::-1]), _clean_surface(turned[nose_index:])]
    upper, lower = sorted(surfaces, key=lambda surface: -surface[:, 1].mean())
    return upper, lower


def _clean_surface(points: np.ndarray) -> np.ndarray:
    forward = np.r_[True, np.diff(points[:, 0]) > 1e-7]
    if not forward[:-3].all():  # the last points may repeat: a blunt trailing edge
        raise UnusableFileError("x turns back")
    points = points[forward]
    if len(points) < MIN_POINTS_PER_SURFACE:
        raise UnusableFileError("too few points")
    if np.diff(points[:, 0]).max() > MAX_GAP or points[-1, 0] < 0.98:
        raise UnusableFileError("gap in a surface")
    return points


def resample(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Interpolate both surfaces at the fixed positions `X`, shape (200,), in chord lengths.

    One curve over t = -sqrt(x) on top and +sqrt(x) below: at a round nose y grows like sqrt(x), so over t the
    contour runs straight through it. The monotone cubic never overshoots its points, hence adds no wiggles.
    """
    t = np.concatenate([-np.sqrt(upper[:0:-1, 0]), np.sqrt(lower[:, 0])])
    y = np.concatenate([upper[:0:-1, 1], lower[:, 1]])
    t_new = np.concatenate([-np.sqrt(X_SURFACE[::-1]), np.sqrt(X_SURFACE)])
    return PchipInterpolator(t, y)(np.clip(t_new, t[0], t[-1]))


def kink(profiles: np.ndarray) -> np.ndarray:
    """The sharpest bend of each profile: its largest absolute third difference, shape (N,)."""
    return np.abs(np.diff(profiles, 3, axis=1)).max(axis=1)


def select(profiles: dict[str, np.ndarray], dropped: Counter) -> dict[str, np.ndarray]:
    """Keep wing sections that are unlike each other, then the 1547 with the smallest kink, in the order of names."""
    kept: dict[str, np.ndarray] = {}
    for name, y in profiles.items():
        if np.abs(y).max() > MAX_HEIGHT:
            dropped[f"higher than {MAX_HEIGHT} chords"] += 1
        elif not _has_sound_surfaces(y):
            dropped["sheet, or surfaces that cross, or cut off"] += 1
        elif any(np.abs(y - other).max() <= SAME for other in kept.values()):
            dropped["duplicate"] += 1
        else:
            kept[name] = y
    if len(kept) < N_PROFILES:
        sys.exit(f"airfoils: {len(kept)} usable profiles, expected at least {N_PROFILES}; use aerosandbox 4.2.10.")
    names = np.array(list(kept))
    smoothest = np.argsort(kink(np.stack(list(kept.values()))), kind="stable")[:N_PROFILES]
    dropped["less smooth than the 1547 kept"] += len(kept) - N_PROFILES
    return {str(name): kept[name] for name in sorted(names[smoothest])}


def _has_sound_surfaces(y: np.ndarray) -> bool:
    gap = thickness(y)
    middle = (X_SURFACE > 0.1) & (X_SURFACE < 0.9)
    return bool(gap[1:-1].min() > 0 and gap[middle].min() >= MIN_THICKNESS and gap[-1] <= MAX_TRAILING_EDGE)


def thickness(y: np.ndarray) -> np.ndarray:
    """Upper minus lower surface at each x from nose to trailing edge, shape (..., 100)."""
    return y[..., :POINTS_PER_SURFACE][..., ::-1] - y[..., POINTS_PER_SURFACE:]


def build(folder: Path) -> tuple[dict[str, np.ndarray], Counter]:
    """Turn a folder of coordinate files into the arrays of the data file, and count what was left out and why."""
    profiles, dropped = {}, Counter()
    for path in sorted(folder.glob("*.dat")):
        try:
            profiles[path.stem] = resample(*normalise(read_points(path.read_text("ascii", errors="replace"))))
        except UnusableFileError as reason:
            dropped[str(reason)] += 1
    chosen = select(profiles, dropped)
    chords = np.stack(list(chosen.values()))
    scale = 1.0 / np.abs(chords).max()
    arrays = {
        "y": (np.round(chords * scale / GRID) * GRID).astype(np.float32),
        "x": X.astype(np.float32),
        "name": np.array(list(chosen)),
        "scale": np.float32(scale),
    }
    return arrays, dropped


def differences(arrays: dict[str, np.ndarray], path: Path) -> list[str]:
    """Name the arrays of the file that are not what was built."""
    with np.load(path, allow_pickle=False) as stored:
        return [key for key in arrays if key not in stored or not np.array_equal(stored[key], arrays[key])]


def main() -> None:
    """Build or check the file and print what was kept, what was dropped, and the checksum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", help="folder of the unpacked wheel (default: the installed package)")
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    options = parser.parse_args()
    arrays, dropped = build(find_database(options.source))
    if options.check:
        wrong = differences(arrays, options.out)
        sys.exit(f"airfoils: {options.out.name} differs from the build in: {', '.join(wrong)}." if wrong else 0)
    np.savez_compressed(options.out, **arrays)
    print(f"kept {len(arrays['y'])}; left out: " + "; ".join(f"{n} {why}" for why, n in dropped.most_common()))
    print(f"scale {arrays['scale']:.6f} (one chord length), {options.out.stat().st_size} bytes")
    print(f"sha256 {hashlib.sha256(options.out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
