"""A run is a series of HTTP requests; what each was answered goes into the history."""

from __future__ import annotations

import asyncio

import httpx

from harness.clients.http import open_client
from harness.drill.observer import Observer, RunWatch
from harness.drill.workloads.workload import Workload
from harness.history.events import Fate, OperationEnded
from harness.stack.workload import HttpWorkload


class HttpRuns(Workload):
    """Sends the requests of one workload, one after the other.

    Args:
        workload: what is sent, and how often.
        url: its address, with real addresses in the place of names.
        observer: is told of every state.
    """

    def __init__(self, workload: HttpWorkload, url: str, observer: Observer) -> None:
        super().__init__(observer)
        self._workload = workload
        self._url = url

    async def follow(self, watch: RunWatch) -> None:
        """Send every request; the run succeeds when all are acknowledged."""
        await self._observer.note_state(watch, "running")
        clock = asyncio.get_running_loop().time
        began_s = clock()
        fates: list[Fate] = []
        async with open_client(self._url) as client:
            for number in range(1, self._workload.times + 1):
                await asyncio.sleep(began_s + (number - 1) * self._workload.every_s - clock())
                fates.append(await self._operation(client, watch, str(number)))
        acknowledged = all(fate is Fate.ACKNOWLEDGED for fate in fates)
        await self._observer.note_state(watch, "success" if acknowledged else "failed")

    async def _operation(self, client: httpx.AsyncClient, watch: RunWatch, number: str) -> Fate:
        began_s = self._observer.history.now_s
        # What stands when the run is given up in the middle of a request.
        fate, detail = Fate.UNKNOWN, "nothing: the run was given up"
        try:
            fate, detail = await self._send(client, watch.run_id, number)
        finally:
            self._observer.history.add(
                OperationEnded(
                    run=watch.run_id,
                    operation=_filled(self._workload.id, watch.run_id, number),
                    fate=fate,
                    detail=detail,
                    took_s=self._observer.history.now_s - began_s,
                )
            )
        return fate

    async def _send(self, client: httpx.AsyncClient, run: str, number: str) -> tuple[Fate, str]:
        workload = self._workload
        try:
            async with asyncio.timeout(workload.deadline_s):
                answer = await client.request(
                    workload.method,
                    _filled(self._url, run, number),
                    headers={name: _filled(value, run, number) for name, value in workload.headers.items()},
                    json=_filled_json(workload.json_body, run, number),
                )
        except (httpx.ConnectError, httpx.ConnectTimeout) as cause:
            # Nothing was sent, so nothing can have been done.
            return Fate.FAILED, f"nothing: {type(cause).__name__}"
        except (TimeoutError, httpx.HTTPError) as cause:
            return Fate.UNKNOWN, f"nothing: {type(cause).__name__}"
        return (Fate.ACKNOWLEDGED if answer.is_success else Fate.FAILED), str(answer.status_code)


def _filled(text: str, run: str, number: str) -> str:
    return text.replace("{run}", run).replace("{n}", number)


def _filled_json(value: object, run: str, number: str) -> object:
    if isinstance(value, str):
        return _filled(value, run, number)
    if isinstance(value, dict):
        return {key: _filled_json(item, run, number) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_json(item, run, number) for item in value]
    return value
