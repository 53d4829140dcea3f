"""Drills in Gherkin: ``from harness.gherkin.steps import *`` in a ``conftest.py``, and pytest-bdd knows the phrases."""
