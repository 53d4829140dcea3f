"""What a feature's Givens plan is the scenario that its When will run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FEATURE = """
Feature: Plans
  Scenario: Services and links
    Given "workflow -> backend" is refused for 15 s once task "generate_daily_chart" is running
    And "backend" is killed for 5 s once the broker has received the first order
    And "postgres" is restarted once task "place_order" is running
    And "ibkr-gateway" is restarted
    And "workflow" finds /var/lib/trading full for 2.5 s
    And "workflow" may have 1 process for 5 s 3 s into the run
    And "backend" loses 20 % of its packets for 5 s
    And "workflow -> analysis" is refused until the run ends once task "preflight" is running
    And "ibkr-gateway" answers one order with error 404 until the run ends at the second order
    And the gateway rejects the third order with 201 "NO MONEY"
    And the gateway rejects the 4 order with 110
    And the gateway holds the first order
    And the broker fills orders in 3 pieces
    And it is 09:00 in New York
    And "ibkr-gateway" comes to the next midnight until the run ends once task "place_order" has succeeded
    Then it is planned
"""


def at_order(nth: int) -> str:
    """The trigger of the N-th order, as it is printed."""
    return f'{{"request":"placeOrder","nth":{nth}}}'


BEFORE = '{"before":"run"}'
PLANNED = [
    'workflow -> backend refused 15.0 {"task":"generate_daily_chart","state":"running"}',
    'backend kill 5.0 {"order":1}',
    'postgres restart None {"task":"place_order","state":"running"}',
    f"ibkr-gateway restart None {BEFORE}",
    f"workflow disk-full 2.5 {BEFORE}",
    'workflow process-limit 5.0 {"at_s":3.0}',
    f"backend packet-loss 5.0 {BEFORE}",
    'workflow -> analysis refused run-ended {"task":"preflight","state":"running"}',
    f"ibkr-gateway order-error (code 404) run-ended {at_order(2)}",
    f"ibkr-gateway order-rejected (reason NO MONEY) run-ended {at_order(3)}",
    f"ibkr-gateway order-error (code 110) run-ended {at_order(4)}",
    f"ibkr-gateway order-held run-ended {at_order(1)}",
    'ibkr-gateway time-passes (to midnight) run-ended {"task":"place_order","state":"success"}',
    "3 09:00",
]
TEST = """
from pytest_bdd import scenarios, then
scenarios("plans.feature")

@then("it is planned")
def planned(drill_plan):
    for each in drill_plan.scenario(["AAPL"]).faults:
        what = each.fault.about if each.fault.kind == "gateway" else each.fault.kind
        print("PLANNED", each.target, what, each.until or each.for_s, each.start.model_dump_json())
    broker = drill_plan.scenario(["AAPL"]).broker
    print("PLANNED", broker.fill_pieces, broker.clock)
"""
CONFTEST = """
import types
import pytest
from harness.gherkin.steps import *
from harness.stack.stack import load_stack

@pytest.fixture
def drill(request):
    # Planning asks a stack only for its description.
    return types.SimpleNamespace(running=types.SimpleNamespace(stack=load_stack(request.config.rootpath / "stack.yml", {})))
"""
STACK = """
services:
  ibkr-gateway: {image: none, x-harness: {run: [none]}}
x-harness: {adapters: {workload: {wait: {for_s: 1}}, gateway: {control: "http://ibkr-gateway:4003"}}}
"""


def test_steps_plan_faults_of_links_and_services(tmp_path: Path) -> None:
    """Each Given becomes one fault, with its trigger and its time."""
    (tmp_path / "plans.feature").write_text(FEATURE, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "stack.yml").write_text(STACK, encoding="utf-8")
    (tmp_path / "test_plans.py").write_text(TEST, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-s",
        "--rootdir",
        str(tmp_path),
        "-p",
        "no:cacheprovider",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.partition("PLANNED ")[2] for line in done.stdout.splitlines() if "PLANNED " in line] == PLANNED
