"""The same verdict on every machine: other processors stood in for, and how far each check stays from its line.

    python -m tests.machines [--quick] [--only SETTING ...]

Every right answer, every slip, the example class and handed-in weights go through the whole grader under each setting of
`tests.machines.settings`, and the references are rebuilt there. Written to docs/machines.md: verdicts and names of slips
that differ, the largest difference of any reference over what its check allows, and the margins of every check.
"""
