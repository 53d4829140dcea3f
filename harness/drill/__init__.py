"""One drill: its phases, the watchers, and the faults' lives. What happens goes into the history, first and only."""
