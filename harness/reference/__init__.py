"""The tables of the documentation, made from the registries: ``python -m harness.reference`` writes them."""
