"""How a stack runs: sessions, ports, processes, the reaper, and one Toxiproxy for each link."""
