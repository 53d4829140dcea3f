"""What a Dockerfile is understood to take from its context."""

from __future__ import annotations

import pytest

from harness.images.dockerfile import copied_sources


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("FROM scratch\nCOPY a.txt /", ("a.txt",)),
        ("copy a b /there/", ("a", "b")),
        ("ADD ./a/ /there", ("a",)),
        ("COPY --chown=1:1 --chmod=755 a /", ("a",)),
        ("COPY --from=build /made /made\nCOPY a /", ("a",)),
        ('COPY ["with space", "b", "/there"]', ("with space", "b")),
        ("COPY a \\\n  b \\\n  /there/", ("a", "b")),
        ("COPY a \\\n  # why b\n  b /there/", ("a", "b")),
        ("ADD https://example.test/x.tar /x\nCOPY a /", ("a",)),
        ("COPY . /all", (".",)),
        ("COPY ${WHAT} /there", (".",)),
        ("COPY a /x\nCOPY a /y", ("a",)),
        ("# COPY a /\nRUN echo COPY b /", ()),
    ],
    ids=[
        *("one", "several", "add", "flags", "stage", "json", "lines", "comment-between", "address", "everything"),
        *("variable", "twice", "no-instruction"),
    ],
)
def test_sources_are_what_copy_and_add_take(text: str, sources: tuple[str, ...]) -> None:
    """An image is made from these, and from nothing else of its context."""
    assert copied_sources(text) == sources
