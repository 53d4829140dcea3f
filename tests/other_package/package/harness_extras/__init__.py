"""Faults and a check of another team."""
