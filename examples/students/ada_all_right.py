# Ada hands in the reference answers.
# base: solved
# score: 35
