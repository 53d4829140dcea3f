"""Faults of one service: of whatever runs under its name, with every link to it and from it."""
