"""Similarity: whose answers are more alike than chance explains. A hint to staff, never a verdict.

answers      hand-ins -> code, words, pictures and quiet traces of each student; nothing is run
structure    code -> fragments, whatever its names, order, comments and layout (terms, expressions, spellings)
surface      code and words -> what is particular about how they are written
given        what everybody was given, which is taken out
rarity       fragments -> how alike each pair is, by what few others write
topics       a question at a time, how surprising that is
chance       how often independent pairs are as surprising, from the class itself
compare      the pairs that chance does not explain, and which of them hang together
page         similar.html

Nothing is kept anywhere but in that page: deleting a student's files and running it again leaves no trace of them.
"""

from grader.similarity.command import similar

__all__ = ["similar"]
