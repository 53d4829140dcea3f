"""A stack that stays up between commands: a process of its own owns it and runs the drills, and commands talk to it."""
