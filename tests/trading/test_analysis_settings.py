"""A setting of the analysis that is wrong names itself; without any, there is no endpoint and no error."""

from __future__ import annotations

import pytest

from trading.workflow.errors import SettingsInvalid
from trading.workflow.settings import WorkflowSettings, read_settings

_KEY = "key-that-none-may-read"


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with what every workflow needs, and an endpoint."""
    given = {
        "BACKEND_API_URL": "http://127.0.0.1:1",
        "DATABASE_URL": "postgresql://user@127.0.0.1:1/none",
        "LLM_API_BASE_URL": "https://models.example/v1",
        "LLM_MODEL": "some-model",
        "LLM_API_KEY": _KEY,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LLM_API_BASE_URL", "nowhere"),
        ("LLM_MODEL", ""),
        ("LLM_MODEL", "a\tmodel"),
        ("LLM_API_KEY", f"{_KEY}\n"),
        ("LLM_API_KEY", "schlüssel"),
        ("LLM_DEADLINE_S", "0"),
        ("LLM_DEADLINE_S", "31"),
        ("LLM_CONFIDENCE_MIN", "1.1"),
        ("LLM_CONFIDENCE_MIN", "nan"),
    ],
)
def test_setting_that_is_wrong_names_itself(set_up: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The error begins with the variable, and shows no key."""
    read_settings()
    set_up.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=f"^{name}: ") as caught:
        read_settings()
    assert _KEY not in str(caught.value)


def test_endpoint_is_none_when_its_address_is_empty(set_up: pytest.MonkeyPatch) -> None:
    """An empty address is no error, needs no model, and means that there is no endpoint."""
    set_up.setenv("LLM_API_BASE_URL", "")
    set_up.setenv("LLM_MODEL", "")
    assert read_settings().llm_api_base_url is None


def test_key_is_not_shown_with_the_settings(set_up: pytest.MonkeyPatch) -> None:
    """Printed settings show no key."""
    settings: WorkflowSettings = read_settings()
    assert settings.llm_api_key.get_secret_value() == _KEY
    assert _KEY not in f"{settings!r} {settings.model_dump_json()}"
