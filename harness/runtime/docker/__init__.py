"""The stack as containers: what the engine is told, and what it is asked."""
