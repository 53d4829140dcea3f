"""Faults of the broker's gateway, at the level of its protocol: the gateway stub does them, and says what it can do."""
