"""Whether the gateway can be reached, is in touch with its servers, and trades with play money."""

from __future__ import annotations

from trading.doctor.finding import Finding, failed, passed, warned
from trading.doctor.surroundings import Surroundings
from trading.workflow.broker import Broker
from trading.workflow.errors import GatewayLost, GatewaySilent, GatewayUnavailable

FIX = "start the gateway and log in, allow API clients from this machine, or set IBKR_HOST and IBKR_PORT to where it is"
_PAPER = "DU"
# Of the deadline: what is left is for the proof that it is alive.
_CONNECT_SHARE = 0.6


async def examine(at: Surroundings) -> Finding:
    """Connect, have it answer, and look at its account and its data farms."""
    settings = at.settings
    where = f"{settings.ibkr_host}:{settings.ibkr_port}"
    try:
        gateway = await Broker(settings).connect(budget_s=_CONNECT_SHARE * at.deadline_s)
        try:
            await gateway.prove_alive()
            accounts = tuple(gateway.ib.client.getAccounts())
        finally:
            await gateway.close()
    except GatewayUnavailable as unavailable:
        return failed(str(unavailable), FIX)
    except (GatewayLost, GatewaySilent) as failure:
        return failed(f"{where} was connected, and then: {failure}", "wait for the gateway's servers, or restart it")
    live = [account for account in accounts if not account.startswith(_PAPER)]
    if live:
        detail = f"{where} is logged in to {', '.join(live)}, where orders are for real money"
        return failed(detail, f"log in to a paper account, which begins with {_PAPER}; its usual port is 4002 or 7497")
    said = f"{where}, client id {gateway.client_id}, paper account {', '.join(accounts)}"
    if gateway.farms.broken:
        names = ", ".join(f"{farm.name} ({farm.kind})" for farm in gateway.farms.broken)
        return warned(f"{said}; broken farms: {names}", "wait, or look at the state of the gateway's connections")
    return passed(said)
