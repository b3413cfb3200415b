"""Downloads with troubles, each through the whole command: a part of `python -m tests.downloads`, which runs them all."""

from pathlib import Path

import pytest

from tests.downloads import LAYOUTS, TROUBLES, run_row, table

_BY_TROUBLE = {trouble: [row for row in table() if row[1] == trouble] for trouble in TROUBLES}
_PICKED = [
    rows[n % len(rows)] for n, rows in enumerate(_BY_TROUBLE.values())
]  # each trouble, on one platform after another
_PICKED += [(platform, "clean") for platform in LAYOUTS if platform not in {one for one, _ in _PICKED}]


def test_the_table_is_large_enough() -> None:
    rows = table()
    assert len(rows) == len(set(rows)) >= 60
    assert {platform for platform, _ in rows} == set(LAYOUTS)
    assert {trouble for _, trouble in rows} == set(TROUBLES)
    assert {platform for platform, _ in _PICKED} == set(LAYOUTS)


@pytest.mark.parametrize(("platform", "trouble"), _PICKED)
def test_a_download_gives_everybody_their_points(platform: str, trouble: str, tmp_path: Path) -> None:
    assert run_row(platform, trouble, tmp_path, as_zip=len(trouble) % 2 == 0) == []
