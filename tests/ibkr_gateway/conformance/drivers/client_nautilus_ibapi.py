"""Drives nautilus-ibapi."""

from __future__ import annotations

from .conversation import converse
from .ibapi_driver import IbapiDriver

if __name__ == "__main__":
    converse(IbapiDriver)
