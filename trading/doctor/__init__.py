"""The diagnosis of a trading workflow in one go: ``python -m trading.doctor``."""
