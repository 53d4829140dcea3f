"""What runs: the compose file and its ``x-harness`` part, as pure data."""
