"""What every test of the project shares."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No time limit on an example: the machine may be shared, and a slow one is no broken promise.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
