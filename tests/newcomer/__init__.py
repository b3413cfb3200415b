"""A newcomer's first minutes, stood in for: a clean clone at an odd place, and the README's two commands in it.

`python -m tests.newcomer` makes the clone, the user, the locale and the home that `places` describes, runs set-up, grade
and test there (`visit`), and writes docs/places.md (`page`). It needs root on Linux, and a network for the set-up.
"""
