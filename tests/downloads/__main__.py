"""Every platform with every trouble, as a folder and as the zip that a platform hands over: `python -m tests.downloads`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.downloads import LAYOUTS, TROUBLES, run_row, table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platform", choices=list(LAYOUTS), help="this one alone")
    parser.add_argument("--trouble", choices=list(TROUBLES), help="this one alone")
    options = parser.parse_args()
    rows = [row for row in table() if options.platform in (None, row[0]) and options.trouble in (None, row[1])]
    failed: list[str] = []
    began = time.process_time()
    for platform, trouble in rows:
        for as_zip in (False, True):
            with tempfile.TemporaryDirectory(prefix="downloads-") as folder:
                faults = run_row(platform, trouble, Path(folder), as_zip)
            if faults:
                form = "zip" if as_zip else "folder"
                failed.append(f"{platform} x {trouble} ({form})")
                print(f"python -m tests.downloads --platform {platform} --trouble {trouble}  ({form})\n  {faults[0]}")
    print(f"{len(rows)} downloads, each as a folder and as a zip: {len(failed)} not as they must be, "
          f"{time.process_time() - began:.0f} CPU s.")  # fmt: skip
    print(*failed, sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
