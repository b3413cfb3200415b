"""The solved notebooks' outputs, kept as what every run must print, and checked by nbval.

    python -m tests.solved [NAME ...]           run them with FAST=1 on stand-in data under `pytest --nbval`
    python -m tests.solved [NAME ...] --full    in full, on the data that is there: every cell runs, nothing is compared
    python -m tests.solved NAME --keep          keep what this run prints, after reading what changed
    python -m tests.solved NAME --spread        the same run with other instruction sets and two threads: what they move

A module an idea: `outputs` (what is kept of a cell), `numbers` (which numbers may differ, by how much), `plugin` (tells nbval), `run`
(one execution, which the suite's other tests of a notebook look at too). `differs.yaml` names the cells whose numbers
may differ by more than rounding, each with its reason.
"""
