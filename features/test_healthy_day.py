"""A healthy day: the scenarios of healthy_day.feature as tests."""

import pytest
from pytest_bdd import scenarios

pytestmark = pytest.mark.drill
scenarios("healthy_day.feature")
