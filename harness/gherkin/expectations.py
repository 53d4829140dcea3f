"""What the Thens of a feature hold an outcome against. Each fails with the findings, or with what it saw."""

from __future__ import annotations

from harness.checks import artifacts_once, bounded, fault_healed, fault_hit, not_silent, orders_once, steady
from harness.drill.outcome import Outcome

AT_MOST = "at most"


def expect_faults_hit_and_healed(outcome: Outcome) -> None:
    """Every fault was on, the system met it, and it was gone in the end."""
    __tracebackhide__ = True
    if not outcome.summary.faults:
        outcome.fail("a fault should have bitten, and nothing was planned to go wrong")
    outcome.expect(fault_hit.NAME)
    outcome.expect(fault_healed.NAME)


def expect_artifacts_once(outcome: Outcome) -> None:
    """No artifact was lost or doubled, and there are artifacts at all."""
    __tracebackhide__ = True
    outcome.expect(artifacts_once.NAME)
    run = outcome.drilled.run_id
    if not any(row.execution_id == run for row in outcome.reads.artifacts):
        outcome.fail(f"the artifacts of run {run} should be stored, and there are none (SQL)")


def expect_orders(outcome: Outcome, bound: str, wanted: int, *, per_symbol: bool) -> None:
    """Count the orders of the run in the broker's own ledger.

    Args:
        outcome: the drill.
        bound: ``at most`` or ``exactly``.
        wanted: how many orders.
        per_symbol: whether they are counted for each symbol alone.
    """
    __tracebackhide__ = True
    outcome.expect(orders_once.NAME)
    run = outcome.drilled
    # Each order at the broker is recorded: the check above has seen to that. So the record may tell whose it is.
    own = {order.order_ref for order in outcome.reads.recorded_orders if order.execution_id == run.run_id}
    at_broker = [order.symbol for order in outcome.reads.broker_orders if order.order_ref in own]
    groups = {symbol: at_broker.count(symbol) for symbol in run.symbols} if per_symbol else {"": len(at_broker)}
    for symbol, found in groups.items():
        if found > wanted or (found < wanted and bound != AT_MOST):
            of = f" for {symbol}" if symbol else ""
            outcome.fail(
                f"{bound} {wanted} orders{of} of run {run.run_id} at the broker expected, {found} in its ledger"
            )


def expect_report(outcome: Outcome, word: str, notifications: int) -> None:
    """Hold the run's own word, and the notifications about it, against what the feature says.

    Args:
        outcome: the drill.
        word: how the run should report itself.
        notifications: how many messages about it should have arrived.
    """
    __tracebackhide__ = True
    outcome.expect(not_silent.NAME)
    run = outcome.drilled.run_id
    said = next((row.outcome for row in outcome.reads.outcomes if row.execution_id == run), None)
    if said != word:
        outcome.fail(f"run {run} should report itself as {word!r}, and says {said!r} (SQL)")
    found = sum(run in message.text for message in outcome.reads.notifications)
    if found != notifications:
        outcome.fail(f"{notifications} notifications about run {run} expected, {found} at the notification sink")


def expect_recovery(outcome: Outcome, within_s: float) -> None:
    """The system was back to normal in time after the last heal, and stayed in its steady state.

    Args:
        outcome: the drill.
        within_s: the time it has.
    """
    __tracebackhide__ = True
    outcome.expect(bounded.NAME)
    outcome.expect(steady.NAME)
    took_s = outcome.summary.recovery_s
    if took_s is None:
        outcome.fail("the system should be back to normal, and nothing was planned to take it away from there")
    if took_s > within_s:
        outcome.fail(f"back to normal within {within_s:g} s of the last heal expected, it took {took_s:.1f} s")


def expect_run_time(outcome: Outcome, within_s: float) -> None:
    """The run ended, and in time.

    Args:
        outcome: the drill.
        within_s: the time it has.
    """
    __tracebackhide__ = True
    outcome.expect(bounded.NAME)
    took_s = outcome.run_took_s
    if took_s is None or took_s > within_s:
        took = "it did not end" if took_s is None else f"it took {took_s:.1f} s"
        outcome.fail(f"run {outcome.drilled.run_id} should end within {within_s:g} s, and {took} (Airflow's API)")
