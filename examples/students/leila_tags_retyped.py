# Leila retyped the tags and left a broken copy of a cell at the end.
# base: solved
# damage: cell_duplicated
# damage: tags_retyped
# form: notebook
# score: 35
