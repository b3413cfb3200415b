"""What the notebooks say about behaviour, measured: `python -m tests.claims` (see `tests/claims/__main__.py`)."""
