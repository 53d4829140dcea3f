"""How faults of services are made true, and proven. ``registry.py`` says which runtime can do which."""
