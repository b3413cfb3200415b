"""What an author of checks imports: `Check`, `Probe`, `Contract`, judges, slips, Adam by hand."""
