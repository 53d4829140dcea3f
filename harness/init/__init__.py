"""Proposals: what a foreign compose file says by itself of links, readiness and protocols."""
