# Jonas handed in the PDF, and called it a zip.
# damage: not_a_notebook
# score: 0
