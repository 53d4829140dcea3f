"""Defects of a system of a few lines."""
