"""``make bench``, or ``python -m benchmarks [NAME…]``: measure, print the table, keep it under reports/.

A measurement is a file of this folder with a function from a :class:`Bench` to rows, and a line in ``MEASUREMENTS``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from benchmarks.bench import Bench, Measure
from benchmarks.boot import measure_boot
from benchmarks.container_faults import measure_container_faults
from benchmarks.containers import measure_containers
from benchmarks.fault_effect import measure_fault_effect
from benchmarks.gateway_exchange import measure_gateway
from benchmarks.judging import measure_judging
from benchmarks.measuring import Measured, measurable, measure_all
from benchmarks.reset import measure_reset
from benchmarks.spool import measure_spool
from benchmarks.storage import measure_storage
from benchmarks.table import document, print_table
from benchmarks.workflow_run import measure_workflow_run
from harness.drill.description import describe
from harness.drill.interruptible import run_interruptibly
from harness.drill.report_directory import new_report_directory
from harness.errors import HarnessError
from harness.report.terminal import TerminalProgress

# Those that start stacks themselves come first: later the shared one runs.
MEASUREMENTS: Mapping[str, Measure] = {
    "boot": measure_boot,
    "judging": measure_judging,
    "containers": measure_containers,
    "container-faults": measure_container_faults,
    "gateway": measure_gateway,
    "storage": measure_storage,
    "spool": measure_spool,
    "reset": measure_reset,
    "workflow-run": measure_workflow_run,
    "fault-effect": measure_fault_effect,
}
# Without an engine these are left out.
NEED_ENGINE = frozenset({"containers", "container-faults"})
NOT_ALL_MEASURED = 3
INTERRUPTED = 130


def main() -> int:
    """Measure.

    Returns:
        0 when everything was measured that this machine can measure, also when an aim was missed; 3 when a part
        failed, or cannot be measured here and was asked for by name.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the stack and the harness.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)}; all by default")
    parser.add_argument("--stack", type=Path, default=Path("docker-compose.test.yml"), help="the compose file")
    parser.add_argument("--reports", type=Path, help="where the report's folder goes")
    given = parser.parse_args()
    if unknown := set(given.names) - set(MEASUREMENTS):
        parser.error(f"no measurement {', '.join(sorted(unknown))}; there are: {', '.join(MEASUREMENTS)}")
    console = Console() if sys.stdout.isatty() else Console(width=140)
    measured, interrupted = Measured(), False
    try:
        stack = describe(given.stack, seed=0)
        directory = new_report_directory(given.reports or stack.project / "reports")
    except HarnessError as error:
        print(error, error.evidence, sep="\n", file=sys.stderr)  # noqa: T201 - it speaks to a person at a terminal
        return error.exit_code
    load_before = os.getloadavg()[0]
    names = measurable(given.names or list(MEASUREMENTS), NEED_ENGINE, measured)
    bench = Bench(stack, TerminalProgress(console))
    try:
        run_interruptibly(measure_all(bench, {name: MEASUREMENTS[name] for name in names}, measured))
    except KeyboardInterrupt:
        interrupted = True
    load = (load_before, os.getloadavg()[0])
    print_table(console, measured, load)
    (directory / "bench.json").write_text(document(measured, load).model_dump_json(indent=2) + "\n", encoding="utf-8")
    console.print(f" report  {directory / 'bench.json'}", highlight=False, soft_wrap=True)
    if interrupted:
        return INTERRUPTED
    return NOT_ALL_MEASURED if measured.failed or (given.names and measured.left_out) else 0


if __name__ == "__main__":
    sys.exit(main())
