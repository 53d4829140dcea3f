"""The backend goes away: the scenarios of backend_goes_away.feature as tests."""

import pytest
from pytest_bdd import scenarios

pytestmark = pytest.mark.drill
scenarios("backend_goes_away.feature")
