"""The set-up: an environment, the project in it, and a Toxiproxy server, by ``python3 -m bootstrap``.

Standard library only. Its syntax is one that older Pythons can read, so that they can say what is wrong.
"""
