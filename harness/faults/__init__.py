"""Faults, as pure data: one fault, one file. ``registry.py`` lists them."""
