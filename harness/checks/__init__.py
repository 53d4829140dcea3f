"""Checks: pure functions from a history and the final reads to findings. One promise, one file."""
