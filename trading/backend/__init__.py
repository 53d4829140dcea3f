"""The artifacts API: it stores what the workflow produced, once, and serves it."""
