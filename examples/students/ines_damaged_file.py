# Ines's notebook was cut off while it was copied.
# base: solved
# form: notebook
# damage: truncated
# score: 0
