"""Typst in a process of its own, so that a document can be given up: it may take for ever, or all the memory there is.

Started by `typeset` as a program: jobs come in on standard input, one JSON object a line, an answer goes out for each. Nothing here
imports the package, so that it starts at once.
"""

import json
import sys
from pathlib import Path

MEMORY_BYTES = 2**30  # a long notebook with pictures takes a fifth of it


def main() -> None:
    """Compile until there are no more jobs."""
    _limit_memory()
    import typst

    first = json.loads(sys.stdin.readline())
    compiler = typst.Compiler(
        root=first["root"], font_paths=first["font_paths"], ignore_system_fonts=first["ignore_system_fonts"]
    )
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(_done(compiler, job)), flush=True)


def _done(compiler, job: dict) -> dict:
    try:
        pdf = compiler.compile(job["main"], format="pdf", **job["options"])
        assert isinstance(pdf, bytes)  # a list comes back for pictures only
        Path(job["pdf"]).write_bytes(pdf)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic inside Typst is no Exception
        problem = getattr(error, "message", "") or str(error)[:200] or type(error).__name__
        return {"problem": problem, "diagnostic": getattr(error, "diagnostic", "")[:100_000]}
    return {"problem": "", "diagnostic": ""}


def _limit_memory() -> None:
    if sys.platform == "linux":
        import resource

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        most = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


if __name__ == "__main__":
    main()
