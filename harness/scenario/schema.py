"""The JSON Schema of scenario files, so that editors complete and check them."""

from __future__ import annotations

import json
from pathlib import Path

from harness.scenario.model import Scenario

SCHEMA_FILE = Path(__file__).with_name("schema.json")


def schema_text() -> str:
    """The schema as it stands in ``schema.json``."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema(by_alias=True)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
