"""Write the example class: `python -m tools.examples [--out DIR]` turns `examples/students/*.py` into submissions."""

import argparse
from pathlib import Path

from tools.examples import build, load_examples
from utils.assignments.course import add_course_option, enter_course
from utils.assignments.places import shown, this_course


def main(arguments: list[str] | None = None) -> None:
    arguments = enter_course(arguments)
    parser = argparse.ArgumentParser(description="Build the example class.")
    parser.add_argument("--out", type=Path, default=this_course().root / "examples" / "submissions")
    add_course_option(parser)
    out = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    class_ = load_examples()
    for example in class_:
        name, data = build(example)
        (out / name).write_bytes(data)
    print(f"{len(class_)} submissions in {shown(out)}")


if __name__ == "__main__":
    main()
