"""Toxiproxy: finding or building its server, one server process for each link, and control calls with a deadline."""
