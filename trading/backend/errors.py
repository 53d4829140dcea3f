"""What the database may say no to.

DatabaseUnavailable     503, try again: not reached, not in time, or not able to
└── SchemaMissing       503, try again: its tables are not there (yet, or any more)
ValueRefused            422: reached, and it will never take this value
"""

from __future__ import annotations


class DatabaseUnavailable(Exception):
    """The database did not do the work now; it may another time."""


class SchemaMissing(DatabaseUnavailable):
    """The database has not the tables that the migrations make."""


class ValueRefused(Exception):
    """The database will not store a value, however often it is asked."""
