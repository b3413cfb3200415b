"""Green means green: what each notebook's visible tests say of answers, beside what the grader says of them.

    python -m tests.green [NAME ...] [--task TASK] [--sample N] [--save FILE]
    python -m tests.green --page FILE ...

Every right answer, every usual slip and a sample of the behavioural mutants are run in the solved notebook, in place of the
solution's cell, with the `# TEST` cells below it; and graded, on the inputs that are public and on drawn ones. Two things
are disagreements: an answer that the tests turn down and the grader does not, and one that passes the tests and loses
points on public inputs. What only drawn inputs tell apart is none: the notebook cannot know them.
"""
