"""Everything that one harness process starts, under one name, and how all of it is removed again."""
