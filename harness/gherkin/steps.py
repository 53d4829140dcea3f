"""The steps of drills, for pytest-bdd. ``from harness.gherkin.steps import *`` in a ``conftest.py`` makes them known.

    Given the trading stack in its steady state
    And the broker fills orders after 2 s
    And "workflow -> backend" is refused for 15 s once task "generate_daily_chart" is running
    When the trading workflow runs for AAPL
    Then the fault hit and was healed
    And every artifact of the run is stored exactly once
    And at most one order reached the broker
    And the run reports itself as degraded, and one notification was sent
    And the system is back to normal within 30 s

Each fault carries its own phrases (docs/faults.md lists them). It starts ``before the run``, ``3 s into the run``,
``once task "…" is running``, ``once task "…" has failed``, ``once the broker has received the first order``,
``once the second connection is made over it``; a fault of the gateway also ``at the third order``.
What the gateway does with one order has a Given of its own: ``the gateway rejects the third order with 201``.
"""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from pytest_bdd import given, parsers, then, when

from harness.drill.runner import DrillRunner
from harness.errors import ScenarioError
from harness.gherkin import broker, expectations, phrases
from harness.gherkin.plan import DrillPlan
from harness.report.result import DrillResult
from harness.scenario.model import BrokerPart

_ORDERS = r"(?P<bound>at most|exactly) (?P<number>\w+) orders?(?P<each> for each symbol)? reached the broker"
_REPORT = r"the run reports itself as (?P<word>.+), and (?P<number>\w+) notifications? (?:was|were) sent"


@pytest.fixture
def drill_plan(request: pytest.FixtureRequest) -> DrillPlan:
    """What this scenario has said so far."""
    # pytest-bdd gives a test the docstring "path/of.feature: the scenario".
    title = (request.function.__doc__ or request.node.name).rpartition(".feature: ")[2]
    return DrillPlan(name=phrases.scenario_name(request.node.name), about=title[:300])


@given("the trading stack in its steady state")
def stack_in_steady_state(drill: DrillRunner) -> None:
    """Start the stack, unless it runs; each drill resets it, and proves the steady state before anything goes wrong."""
    del drill


@given(parsers.re(phrases.fault_step()))
def fault_is_planned(drill_plan: DrillPlan, target: str, fault: str, lasts: str, start: str | None) -> None:
    """Plan a fault of a link or of a service."""
    drill_plan.faults.append(phrases.injection(target, fault, lasts, start or ""))


@given(parsers.re(phrases.momentary_fault_step()))
def momentary_fault_is_planned(drill_plan: DrillPlan, target: str, fault: str, start: str | None) -> None:
    """Plan a fault that is over by itself."""
    drill_plan.faults.append(phrases.injection(target, fault, "", start or ""))


@given(parsers.parse("the broker fills orders after {fill_delay_s:g} s"))
def broker_fills_after(drill_plan: DrillPlan, fill_delay_s: float) -> None:
    """Set the time between an order's acknowledgement and its fill."""
    _set_broker(drill_plan, fill_delay_s=fill_delay_s)


@given(parsers.parse("the broker fills orders in {fill_pieces:d} pieces"))
def broker_fills_in_pieces(drill_plan: DrillPlan, fill_pieces: int) -> None:
    """Set in how many executions an order fills."""
    _set_broker(drill_plan, fill_pieces=fill_pieces)


@given(parsers.re(r"it is (?P<clock>[\d:T-]+) in New York"))
def drill_begins_at(drill_plan: DrillPlan, clock: str) -> None:
    """Set when the drill begins at the broker; the exchange keeps its hours then."""
    _set_broker(drill_plan, clock=clock)


@given("the exchange is always open")
def exchange_is_always_open(drill_plan: DrillPlan) -> None:
    """Let orders fill at any hour, at whichever time the drill begins."""
    _set_broker(drill_plan, hours="always-open")


@given(parsers.re(broker.ORDER_STEP))
def gateway_does_to_one_order(
    drill: DrillRunner, drill_plan: DrillPlan, does: str, nth: str, code: str | None, text: str | None
) -> None:
    """Plan what the gateway does with one order: reject it with a code, hold it, never fill it, fill it in part."""
    drill_plan.faults.append(broker.order_trouble(drill.running.stack, does, nth, code, text))


@when(parsers.parse("the trading workflow runs for {symbols}"), target_fixture="result")
def workflow_runs(drill: DrillRunner, drill_plan: DrillPlan, symbols: str) -> DrillResult:
    """Run the drill that was planned."""
    return drill(drill_plan.scenario(phrases.symbols(symbols)))


@when(parsers.parse('the drill "{name}" runs'), target_fixture="result")
def drill_runs(drill: DrillRunner, drill_plan: DrillPlan, name: str) -> DrillResult:
    """Run a drill that stands in a file.

    Raises:
        ScenarioError: a Given plans a fault as well.
    """
    if drill_plan.faults:
        raise ScenarioError(f"the drill {name!r} itself says what goes wrong: leave out the Given that plans a fault")
    return drill(name)


@then(parsers.re(r"(?:the|every) faults? hit and (?:was|were) healed"))
def faults_hit_and_healed(result: DrillResult) -> None:
    """Every fault was on, hit the system, and was gone in the end."""
    __tracebackhide__ = True
    expectations.expect_faults_hit_and_healed(result)


@then("every artifact of the run is stored exactly once")
def artifacts_once(result: DrillResult) -> None:
    """Nothing is lost, nothing doubled."""
    __tracebackhide__ = True
    expectations.expect_artifacts_once(result)


@then(parsers.re(_ORDERS))
def orders_at_broker(result: DrillResult, bound: str, number: str, each: str | None) -> None:
    """The broker's own ledger has so many orders of this run, each recorded truly."""
    __tracebackhide__ = True
    expectations.expect_orders(result, bound, phrases.count(number), per_symbol=each is not None)


@then("no order reached the broker")
def no_order(result: DrillResult) -> None:
    """The broker's own ledger has no order of this run."""
    __tracebackhide__ = True
    expectations.expect_orders(result, "exactly", 0, per_symbol=False)


@then(parsers.re(_REPORT))
def run_reports_itself(result: DrillResult, word: str, number: str) -> None:
    """The run's own word, and how often people were told."""
    __tracebackhide__ = True
    expectations.expect_report(result, phrases.outcome(word), phrases.count(number))


@then(parsers.parse("the system is back to normal within {within_s:g} s"))
def back_to_normal(result: DrillResult, within_s: float) -> None:
    """A fresh run succeeds soon after the last heal."""
    __tracebackhide__ = True
    expectations.expect_recovery(result, within_s)


@then(parsers.parse("the run ended within {within_s:g} s"))
def run_ended(result: DrillResult, within_s: float) -> None:
    """The run that met the faults ended in time."""
    __tracebackhide__ = True
    expectations.expect_run_time(result, within_s)


@then(parsers.parse('the promise "{check}" is kept'))
def promise_is_kept(result: DrillResult, check: str) -> None:
    """One check, by its name: for promises that have no words of their own yet."""
    __tracebackhide__ = True
    result.expect(check)


@then("every promise is kept")
def every_promise_is_kept(result: DrillResult) -> None:
    """The drill passed."""
    __tracebackhide__ = True
    result.expect_pass()


def _set_broker(drill_plan: DrillPlan, **settings: object) -> None:
    try:
        drill_plan.broker = BrokerPart.model_validate({**drill_plan.broker.model_dump(), **settings})
    except ValidationError as cause:
        raise ScenarioError(f"the broker: {phrases.first_of(cause)}") from cause
