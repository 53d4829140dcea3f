"""What the Thens of a feature hold a drill's result against. Each fails with the findings, or with what it saw."""

from __future__ import annotations

from harness.checks import artifacts_once, bounded, fault_healed, fault_hit, not_silent, orders_once, steady
from harness.report.result import DrillResult

AT_MOST = "at most"


def expect_faults_hit_and_healed(result: DrillResult) -> None:
    """Every fault was on, hit the system, and was gone in the end."""
    __tracebackhide__ = True
    if not result.faults:
        result.fail("a fault should have hit, and nothing was planned to go wrong")
    result.expect(fault_hit.NAME)
    result.expect(fault_healed.NAME)


def expect_artifacts_once(result: DrillResult) -> None:
    """No artifact was lost or doubled, and there are artifacts at all."""
    __tracebackhide__ = True
    result.expect(artifacts_once.NAME)
    run = result.drilled.run_id
    if not any(row.execution_id == run for row in result.reads.artifacts):
        result.fail(f"the artifacts of run {run} should be stored, and there are none (SQL)")


def expect_orders(result: DrillResult, bound: str, wanted: int, *, per_symbol: bool) -> None:
    """Count the orders of the run in the broker's own ledger.

    Args:
        result: the drill.
        bound: ``at most`` or ``exactly``.
        wanted: how many orders.
        per_symbol: whether they are counted for each symbol alone.
    """
    __tracebackhide__ = True
    result.expect(orders_once.NAME)
    run = result.drilled
    # Each order at the broker is recorded: the check above has seen to that. So the record may tell whose it is.
    own = {order.order_ref for order in result.reads.recorded_orders if order.execution_id == run.run_id}
    at_broker = [order.symbol for order in result.reads.broker_orders if order.order_ref in own]
    groups = {symbol: at_broker.count(symbol) for symbol in run.symbols} if per_symbol else {"": len(at_broker)}
    for symbol, found in groups.items():
        if found > wanted or (found < wanted and bound != AT_MOST):
            of = f" for {symbol}" if symbol else ""
            result.fail(
                f"{bound} {wanted} orders{of} of run {run.run_id} at the broker expected, {found} in its ledger"
            )


def expect_report(result: DrillResult, word: str, notifications: int) -> None:
    """Hold the run's own word, and the notifications about it, against what the feature says.

    Args:
        result: the drill.
        word: how the run should report itself.
        notifications: how many messages about it should have arrived.
    """
    __tracebackhide__ = True
    result.expect(not_silent.NAME)
    run = result.drilled.run_id
    said = next((row.outcome for row in result.reads.outcomes if row.execution_id == run), None)
    if said != word:
        result.fail(f"run {run} should report itself as {word!r}, and says {said!r} (SQL)")
    found = sum(run in message.text for message in result.reads.notifications)
    if found != notifications:
        result.fail(f"{notifications} notifications about run {run} expected, {found} at the notification sink")


def expect_recovery(result: DrillResult, within_s: float) -> None:
    """The system was back to normal in time after the last heal, and stayed in its steady state.

    Args:
        result: the drill.
        within_s: the time it has.
    """
    __tracebackhide__ = True
    result.expect(bounded.NAME)
    result.expect(steady.NAME)
    took_s = result.recovery_s
    if took_s is None:
        result.fail("the system should be back to normal, and nothing was planned to take it away from there")
    if took_s > within_s:
        result.fail(f"back to normal within {within_s:g} s of the last heal expected, it took {took_s:.1f} s")


def expect_run_time(result: DrillResult, within_s: float) -> None:
    """The run ended, and in time.

    Args:
        result: the drill.
        within_s: the time it has.
    """
    __tracebackhide__ = True
    result.expect(bounded.NAME)
    took_s = result.run_took_s
    if took_s is None or took_s > within_s:
        took = "it did not end" if took_s is None else f"it took {took_s:.1f} s"
        result.fail(f"run {result.drilled.run_id} should end within {within_s:g} s, and {took} (Airflow's API)")
