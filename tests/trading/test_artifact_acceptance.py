"""What the client lets pass, the real backend stores, and gives back as it was: the two check alike."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from tests.trading.artifact_case import settings_of, spool_of
from tests.trading.parts import Parts, new_run, task
from trading.workflow.artifact import Artifact
from trading.workflow.artifact_storage import ArtifactStorage, Stored
from trading.workflow.errors import ArtifactInvalid

NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=300)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def store_all(parts: Parts, folder: Path, artifacts: list[Artifact]) -> list[dict[str, JsonValue]]:
    """Store artifacts and read their rows."""
    given_settings = settings_of(parts, folder, artifact_attempts=1)

    async def work() -> list[int]:
        with spool_of(given_settings) as spool:
            async with ArtifactStorage(given_settings, spool) as storage:
                outcomes = [await storage.store(artifact) for artifact in artifacts]
        return [outcome.artifact_id for outcome in outcomes if isinstance(outcome, Stored)]

    numbers = asyncio.run(work())
    assert len(numbers) == len(artifacts)
    return [row for number in numbers for row in parts.rows("SELECT * FROM artifacts WHERE id = %s", number)]


def test_artifact_of_the_largest_size_is_stored(parts: Parts, tmp_path: Path) -> None:
    """The limits of the client are within those of the backend."""
    artifact = task(new_run()).artifact(
        "llm", "n" * 300, symbol="s" * 300, prompt="x" * 1_000_000, response="y" * 1_000_000, model_name="m" * 300
    )
    (row,) = store_all(parts, tmp_path, [artifact])
    assert (row["prompt_length"], row["response_length"]) == (1_000_000, 1_000_000)


def test_any_artifact_that_passes_is_stored_as_it_is(parts: Parts, tmp_path: Path) -> None:
    """No text and no number that the client lets pass is refused by the backend or changed on its way."""
    stored = 0

    @given(name=NAMES, symbol=st.none() | NAMES, value=VALUES)
    @settings(max_examples=50, deadline=None)
    def check(name: str, symbol: str | None, value: object) -> None:
        nonlocal stored
        try:
            artifact = task(new_run()).artifact(
                "signal", name, symbol=symbol, action="HOLD", confidence=1, signal_data={"v": value}
            )
        except ArtifactInvalid:
            return
        (row,) = store_all(parts, tmp_path, [artifact])
        assert (row["name"], row["symbol"]) == (name, symbol)
        assert as_numbers(row["signal_data"]) == as_numbers(artifact.signal_data)
        stored += 1

    check()
    assert stored > 20


def as_numbers(value: JsonValue) -> JsonValue:
    """The value with every number as a float: Postgres writes 1e+308 with all its digits."""
    if isinstance(value, dict):
        return {key: as_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_numbers(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
