"""The five courses' own answers, in the form those courses published them: their signatures, conventions and habits.

One file a notebook, in the percent format of the slips; the word behind a task is the letter of the source in the
curriculum (C, S, L, B, M). All answers of a source are handed in together. They must get full marks, but for the slips
that are documented of them, which `test_published` lists.
"""
