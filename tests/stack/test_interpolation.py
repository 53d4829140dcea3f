"""Variables in a compose file, as Compose itself replaces them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import StackError
from harness.stack.interpolation import interpolate
from harness.stack.source import Source

_VARIABLES = {"SET": "value", "EMPTY": "", "OTHER": "other"}


def replaced(text: str) -> object:
    """A text with its variables replaced."""
    return interpolate(Source(Path("compose.yml"), text, {}), _VARIABLES).data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$SET", "value"),
        ("a${SET}b", "avalueb"),
        ("${MISSING}", ""),
        ("$$SET", "$SET"),
        ("$${SET}", "${SET}"),
        ("${SET:-x}", "value"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${MISSING-x}", "x"),
        ("${MISSING:-}", ""),
        ("${SET:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${MISSING+x}", ""),
        ("${SET:?why}", "value"),
        ("${EMPTY?why}", ""),
        ("${MISSING:-${OTHER}}", "other"),
        ("${MISSING:-${EMPTY:-${OTHER}}}", "other"),
        ("${MISSING:-a${OTHER}b}c", "aotherbc"),
        ("${MISSING:-{json}}", "{json}"),
        ("http://${SET}:80/$OTHER", "http://value:80/other"),
    ],
)
def test_variable_is_replaced_as_compose_does(text: str, expected: str) -> None:
    """Every form that Compose knows."""
    assert replaced(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("${MISSING:?set it to 1}", "the variable MISSING is required: set it to 1"),
        ("${EMPTY:?}", "the variable EMPTY is required: set it"),
        ("costs 5$", "a lone '$'"),
        ("${SET", "a lone '$'"),
        ("${1}", "a lone '$'"),
        ("${SET!x}", "is not a variable"),
    ],
)
def test_variable_that_is_wrong_is_told(text: str, told: str) -> None:
    """What cannot be replaced is an error, never an empty value."""
    with pytest.raises(StackError, match=r"compose\.yml:1") as raised:
        replaced(text)
    assert told in str(raised.value)


@given(st.text())
def test_text_with_its_dollars_doubled_stays_as_it_is(text: str) -> None:
    """Doubling every dollar sign is all that it takes to write a text literally."""
    assert replaced(text.replace("$", "$$")) == text


@given(st.text(alphabet="${}:-?+AZ a"))
def test_any_text_is_replaced_or_told(text: str) -> None:
    """No text makes it fail otherwise, and what a dollar sign may not be is told."""
    try:
        found = replaced(text)
    except StackError:
        assert "$" in text
    else:
        assert isinstance(found, str)
