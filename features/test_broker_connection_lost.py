"""The connection to the broker is lost: the scenarios of broker_connection_lost.feature as tests."""

import pytest
from pytest_bdd import scenarios

pytestmark = pytest.mark.drill
scenarios("broker_connection_lost.feature")
