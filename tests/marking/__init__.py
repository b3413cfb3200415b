"""What the tests and commands about marking share: made classes, a running page, a browser."""
