"""A whole class: the unit of work, the workers, the folder of results, what changed since."""
