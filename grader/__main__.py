"""`python -m grader`: see `grader.cli`.

A sandbox loads torch, which takes longer than all the rest for one hand-in. So that begins first, and this process loads itself beside it.
"""

import sys
from contextlib import nullcontext

from grader.sandbox.zygotes import Nursery
from utils.assignments.course import enter_course
from utils.notebook.printable import print_anything

if __name__ == "__main__":
    print_anything()
    arguments = enter_course()
    is_needed = arguments[:1] == ["grade"] and not {"--server", "--engine", "--scheduler"}.intersection(
        word.partition("=")[0] for word in arguments
    )  # what grades elsewhere needs no sandbox here
    with Nursery() if is_needed else nullcontext() as nursery:
        from grader.classes.batch import sandboxes
        from grader.cli import main

        try:
            code = main(arguments, nursery)
        finally:
            sandboxes.close()
    sys.exit(code)
