"""What the status says of the project's own stack, whose places are known before it is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.clients.database import DatabaseUnreadable, without_password
from harness.daemon.status import Access, accesses, link_statuses, open_ports
from harness.drill.description import describe
from harness.runtime.local.stack import LocalStack
from harness.runtime.session.session import Session

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the harness does."""
    return "asyncio"


@pytest.mark.anyio
async def test_access_to_the_trading_stack_is_told_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow with the variable of its password, the database, the gateway's control port, the notification sink."""
    monkeypatch.setenv("AIRFLOW_ADMIN_PASSWORD", "never-to-be-shown")
    stack = describe(PROJECT / "docker-compose.test.yml", seed=0)
    async with await Session.open() as session:
        running = LocalStack(stack, session, toxiproxy=Path("not-started"), cache=tmp_path)
        ports = {place: f"{host}:{port}" for place, (host, port) in open_ports(running).items()}
        found = {each.what: each for each in accesses(running)}
        links = link_statuses(running)
    assert found["Airflow"] == Access(
        what="Airflow",
        address=f"http://{ports['airflow', 8080]}",
        user="admin",
        password_from="AIRFLOW_ADMIN_PASSWORD",  # noqa: S106 - a name
    )
    assert found["database"].address == f"postgresql://{ports['postgres', 5432]}/ibkr_trading"
    assert found["database"].user == "ibkr_user"
    assert str(found["database"].password_from).endswith("x-harness.adapters.database.dsn")
    assert found["gateway control"].address == f"http://{ports['ibkr-gateway', 4003]}"
    assert found["notifications"].address == f"http://{ports['notifications', 8080]}"
    assert [each.link for each in links] == [str(link) for link in stack.links]
    assert len({each.address for each in links} | set(ports.values())) == len(links) + len(ports)
    assert "never-to-be-shown" not in repr(found) + repr(links)


@pytest.mark.parametrize(
    ("dsn", "address", "user", "has_password"),
    [
        ("postgresql://u:secret@h:5/d", "postgresql://h:5/d", "u", True),
        ("host=h user=u password=secret dbname=d", "postgresql://h:5432/d", "u", True),
        ("postgresql://h/d?user=u&password=secret", "postgresql://h:5432/d", "u", True),
        ("postgresql://h/d", "postgresql://h:5432/d", None, False),
    ],
)
def test_dsn_is_shown_without_its_password(dsn: str, address: str, user: str | None, has_password: bool) -> None:  # noqa: FBT001 - a row of the table above
    """Whichever form it has."""
    shown = without_password(dsn)
    assert (shown.address, shown.user, shown.has_password) == (address, user, has_password)


def test_dsn_that_is_none_is_told_without_its_text() -> None:
    """Its text may hold a password."""
    with pytest.raises(DatabaseUnreadable) as caught:
        without_password("no dsn: secret")
    assert "secret" not in str(caught.value)
