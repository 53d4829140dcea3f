"""What people and machines read of a drill: a table, Markdown, JUnit, JSON."""
