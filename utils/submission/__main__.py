"""`python -m utils.submission check|zip NOTEBOOK [--student NAME]`: the last step of a notebook, from a terminal."""

import argparse
import sys
from pathlib import Path

from utils.notebook.printable import print_anything
from utils.submission.steps import run_steps


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the notebook could be read and packed, 2 when not."""
    parser = argparse.ArgumentParser(prog="python -m utils.submission", description="Check and pack a notebook.")
    parser.add_argument("step", choices=("check", "zip"), help="check: write nothing; zip: check, pack, write the PDF")
    parser.add_argument("notebook", type=Path, help="the .ipynb file you worked in, saved")
    parser.add_argument("--student", default="", help="your name, for the header of the PDF")
    chosen = parser.parse_args(arguments)
    print_anything()
    is_done = run_steps(chosen.notebook, student=chosen.student, is_check_only=chosen.step == "check")
    return 0 if is_done else 2


if __name__ == "__main__":
    sys.exit(main())
