"""Faults of one link between two services."""
