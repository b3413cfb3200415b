"""What an author of checks imports: `Check`, `Probe`, judges, slips, Adam by hand."""
