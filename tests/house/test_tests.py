"""A test says what it proves, proves it, and waits for a condition and not for a clock."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.house.sources import Breach, FunctionNode, called_name, functions, modules, require_none

TESTS = ("tests", "features")
SLEEP_S_MAX = 0.05
# A call of one of these fails the test when what it waits for, or asks for, is not so.
_PROVES = re.compile(
    r"assert|expect|raises|require|check_(?:fault|check)$|fail$|until|validate$|run_state_machine_as_test$"
)
# Tests whose proof is that what they call raises nothing, each with the reason.
PROVEN_BY_ENDING = {
    "tests/drill/test_sudden_death.py:test_sigkill_leaves_nothing_behind": "`kill_after` asserts that all is gone",
    "tests/drill/test_sudden_death.py:test_sigkill_leaves_nothing_behind_in_the_engine": "the same",
    "tests/faults/test_discarded_limits.py:test_limit_that_holds_is_no_refusal": "a limit that does not hold raises",
    "tests/gherkin/test_expectations.py:test_then_holds_for_a_sound_drill": "an expectation that does not hold raises",
    "tests/ibkr_gateway/conformance/test_operations.py:test_operation_comes_out_as_at_the_real_gateway": (
        "an operation asserts what it is about"
    ),
    "tests/scenario/test_overlaps.py:test_faults_that_do_not_meet_are_accepted": "a scenario that is refused raises",
    "tests/stack/test_stack.py:test_stack_with_a_paper_account_is_accepted": "a stack that is refused raises",
}
# Programs, not tests: processes that a test watches, ends or kills.
SLEEPERS = {
    "tests/foreign/payments/app/audit.py": "the system under test asks again every half second",
    "tests/other_package/system/client.py": "the system under test asks again every fifth of a second",
    "tests/runtime/docker/dummy_harness.py": "stays until it is killed",
    "tests/runtime/dummy_harness.py": "stays until it is killed",
    "tests/trading/doctor/test_doctor_report.py": "a check that hangs, which the doctor has to cut off",
    "tests/ibkr_gateway/faults/test_connection.py": "the client's own loop runs on: no message may come in that time",
    "tests/ibkr_gateway/faults/test_stream.py": "the client's own loop runs on: no message may come in that time",
}


def _tests() -> Iterator[tuple[str, FunctionNode]]:
    for module in modules(*TESTS):
        if module.path.rpartition("/")[2].startswith("test_"):
            yield from ((module.path, each) for each in functions(module.tree) if each.name.startswith("test_"))


def _proves(function: FunctionNode) -> bool:
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and _PROVES.search(called_name(node)) is not None)
        for node in ast.walk(function)
    )


def test_every_test_says_what_it_proves() -> None:
    """Each test has a docstring: the property that it proves, in a sentence."""
    silent = [Breach(path, test.lineno, test.name) for path, test in _tests() if not ast.get_docstring(test)]
    require_none(silent, instead="write the property that the test proves as its docstring")


def test_every_test_proves_something() -> None:
    """Each test asserts, expects an error, or calls what fails when the property does not hold."""
    idle = [
        Breach(path, test.lineno, test.name)
        for path, test in _tests()
        if not _proves(test) and f"{path}:{test.name}" not in PROVEN_BY_ENDING
    ]
    require_none(idle, instead="assert the property, or name the test in PROVEN_BY_ENDING with the reason")


def test_tests_wait_for_conditions() -> None:
    """No test waits for a fixed time of more than 50 ms, but for programs that are meant to stay."""
    waits = [
        Breach(module.path, node.lineno, ast.unparse(node))
        for module in modules(*TESTS)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and called_name(node) == "sleep" and node.args
        if isinstance(node.args[0], ast.Constant) and float(str(node.args[0].value)) > SLEEP_S_MAX
        if module.path not in SLEEPERS
    ]
    require_none(waits, instead="wait for the condition itself with a deadline, or name the file in SLEEPERS")


def test_tests_use_no_mock() -> None:
    """What stands in for a part of the system is a stand-in that behaves, not a recorded expectation."""
    mocks = [
        Breach(module.path, node.lineno, ast.unparse(node))
        for module in modules(*TESTS)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and re.search(r"\b(?:unittest\.)?mock\b", ast.unparse(node))
    ]
    require_none(mocks, instead="use a stand-in that does what the real one does")
