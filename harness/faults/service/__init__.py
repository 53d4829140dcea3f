"""Faults of one service: of all that runs under its name, with every link to it and from it."""
