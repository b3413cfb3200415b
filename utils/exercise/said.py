"""What cells print that others look for in a saved notebook."""

OF_OURS = "weights of ours from here on"  # of a network that a student has not trained
