"""The reference trading system: the artifacts backend and the workflow that feeds it."""
