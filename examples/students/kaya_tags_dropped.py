# An editor dropped every tag from Kaya's notebook, and one cell became Markdown; the names still say what is what.
# base: solved
# damage: cell_turned_into_markdown
# damage: tags_dropped
# score: 35
