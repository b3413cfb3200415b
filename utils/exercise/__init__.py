"""What the notebook's own cells use beside training: the set-up cell, `expect_…`, files to hand in."""
