"""The scenario file: what runs, what goes wrong and when, and what must hold."""
