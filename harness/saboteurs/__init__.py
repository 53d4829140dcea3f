"""How well the checks find defects: each is planted, drilled, and held against the promise that must find it."""
