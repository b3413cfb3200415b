"""Reading a notebook as text: cells, tags, answers, rules. Nothing is run."""
