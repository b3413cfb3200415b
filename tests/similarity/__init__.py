"""How well copies are told from independent answers: a made class, planted copies, and the table of docs/similarity.md."""
