"""What builds the bundle; nothing here is handed to students or needed to grade."""
