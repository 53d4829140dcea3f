"""Measurements of the stack and the harness: ``make bench``."""
