"""The notebook's numbers that checks compare with; a test holds them to its given cell, and the probes' own copy to them."""

LEARNING_RATE = 2e-4
ADAM_BETAS = (0.5, 0.999)
VIS_LEARNING_RATE = 1e-2  # of the searches in code space
