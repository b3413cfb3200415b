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
    with Nursery() if arguments[:1] == ["grade"] else nullcontext() as nursery:
        from grader.classes.batch import sandboxes
        from grader.cli import main

        try:
            code = main(arguments, nursery)
        finally:
            sandboxes.close()
    sys.exit(code)
