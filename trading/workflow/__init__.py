"""The trading workflow: nine tasks from a pre-flight check to a recorded outcome."""
