"""The phrases of drills, for every feature in this folder; steps of one's own may stand below."""

from harness.gherkin.steps import *  # noqa: F403 - pytest-bdd finds a step by its name in the module that imports it
