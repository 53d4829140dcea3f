"""A process that has imported what place_order needs, and forks a process for every try: as Airflow's scheduler does.

Run by its path, since it stands for a part of the system: a job comes in as a line of JSON, and two lines go out, the
pid of its process, and how that ended (an exit code, or minus the number of a signal).
"""

from __future__ import annotations

import json
import logging
import os
import sys
from importlib import import_module
from typing import Any

from fixtures.saboteurs.catalogue import SABOTEURS
from trading.workflow import artifact_storage, tasks
from trading.workflow.task_context import TaskContext


def _place(job: dict[str, Any]) -> None:
    os.environ.update(job["environment"])
    logging.basicConfig(filename=job["log"], level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if job["saboteur"]:
        saboteur, acts = SABOTEURS[job["saboteur"]], import_module("fixtures.saboteurs.hook.saboteur_acts")
        for target, sabotage in saboteur.plants.items():
            sabotage(import_module(target), acts.ActsOf(saboteur.name))
    context = TaskContext(job["execution_id"], "ibkr_trading_signal_workflow", "place_order", job["try_number"])
    tasks.place_order(context, job["market_data"], job["signals"])


def _child(job: dict[str, Any]) -> None:
    code = 1
    try:
        _place(job)
        code = 0
    finally:
        logging.shutdown()
        # Past the interpreter's own end, which belongs to the parent.
        os._exit(code)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _serve() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _child(json.loads(line))
        _say(pid)
        _, status = os.waitpid(pid, 0)
        _say(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    artifact_storage.warm_up()
    _serve()
