"""A new assignment that works at once: see `tools.new_assignment.__main__`."""
