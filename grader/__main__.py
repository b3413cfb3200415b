"""`python -m grader`: see `grader.cli`."""

import sys

from grader.cli import main
from utils.notebook.printable import print_anything

if __name__ == "__main__":
    print_anything()
    sys.exit(main())
