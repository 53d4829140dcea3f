"""The nine tasks, as plain functions: JSON in, JSON out. Airflow, or anything else, calls them in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from trading.workflow import outcome, preflight
from trading.workflow.analysis.analysis import analyse
from trading.workflow.analysis.signal import Signal
from trading.workflow.charts import Period, chart_file, draw, write_atomically
from trading.workflow.errors import RunSkipped, WorkflowError
from trading.workflow.gateway import Gateway
from trading.workflow.market_data import MarketData, fetch
from trading.workflow.order_placing import OrderPlacing
from trading.workflow.order_records import OrderStatus
from trading.workflow.portfolio import portfolio
from trading.workflow.reconciliation import reconcile
from trading.workflow.task_context import TaskContext
from trading.workflow.task_run import TaskRun, run_task

BySymbol = Mapping[str, JsonValue]


def run_preflight(
    context: TaskContext, conf: Mapping[str, JsonValue], scheduled_at: datetime | None = None
) -> list[str]:
    """Check that the run can begin.

    Args:
        context: the task.
        conf: what the run was triggered with.
        scheduled_at: the time that the schedule named; None for a run that was triggered by hand.

    Returns:
        What the run trades.

    Raises:
        RunSkipped: the schedule named a day on which the exchange is closed.
    """
    if scheduled_at is not None and (closed := preflight.closed_words(scheduled_at)):
        raise RunSkipped(closed)

    async def work(run: TaskRun) -> list[str]:
        symbols = preflight.symbols_of(conf, run.settings)
        await preflight.check(run)
        return list(symbols)

    return run_task(context, work)


def fetch_market_data(context: TaskContext, symbols: Sequence[str]) -> dict[str, JsonValue]:
    """Fetch and store each symbol's bars.

    Args:
        context: the task.
        symbols: what run_preflight returned.

    Returns:
        MarketData as JSON, by symbol.
    """

    async def work(run: TaskRun) -> dict[str, JsonValue]:
        async def ask(gateway: Gateway) -> list[MarketData]:
            return [await fetch(gateway, symbol, run.settings) for symbol in symbols]

        fetched = await run.broker.reading("fetch_market_data", ask)
        for data in fetched:
            for period, bars in (("daily", data.daily), ("weekly", data.weekly)):
                artifact = context.artifact(
                    "market_data",
                    f"{data.instrument.symbol} {period} bars",
                    symbol=data.instrument.symbol,
                    metadata={"period": period, "bars": [bar.model_dump() for bar in bars]},
                )
                await run.store(artifact)
        return {data.instrument.symbol: data.model_dump(mode="json") for data in fetched}

    return run_task(context, work)


def generate_chart(context: TaskContext, market_data: BySymbol, period: Period) -> dict[str, JsonValue]:
    """Draw and store each symbol's chart.

    Args:
        context: the task.
        market_data: what fetch_market_data returned.
        period: daily or weekly.

    Returns:
        The charts' file names, by symbol.
    """

    async def work(run: TaskRun) -> dict[str, JsonValue]:
        files: dict[str, JsonValue] = {}
        for symbol, raw in market_data.items():
            data = MarketData.model_validate(raw)
            bars = data.daily if period == "daily" else data.weekly
            name = chart_file(context.execution_id, symbol, period)
            write_atomically(run.settings.chart_dir, name, draw(bars, symbol=symbol, period=period))
            artifact = context.artifact(
                "chart",
                f"{symbol} {period} chart",
                symbol=symbol,
                image_path=name,
                chart_type=period,
                chart_data={"bars": len(bars), "first": bars[0].day, "last": bars[-1].day, "close": bars[-1].close},
            )
            await run.store(artifact)
            files[symbol] = name
        return files

    return run_task(context, work)


def analyze(context: TaskContext, market_data: BySymbol) -> dict[str, JsonValue]:
    """Decide on and store each symbol's signal.

    Args:
        context: the task.
        market_data: what fetch_market_data returned.

    Returns:
        Signal as JSON, by symbol.
    """

    async def work(run: TaskRun) -> dict[str, JsonValue]:
        signals: dict[str, JsonValue] = {}
        for analysis in await analyse([MarketData.model_validate(raw) for raw in market_data.values()], run.settings):
            signal = analysis.signal
            if analysis.failure:
                cause = f"{signal.symbol} was analysed by rule, so no order is placed for it ({analysis.failure})"
                await run.note("degraded", cause)
            for artifact in analysis.artifacts(context):
                await run.store(artifact)
            signals[signal.symbol] = signal.model_dump(mode="json")
        return signals

    return run_task(context, work)


def place_order(context: TaskContext, market_data: BySymbol, signals: BySymbol) -> dict[str, JsonValue]:
    """Place and store each symbol's order, where its signal is actionable; in a dry run the gateway sees none.

    Args:
        context: the task.
        market_data: what fetch_market_data returned.
        signals: what analyze returned.

    Returns:
        The recorded orders as JSON, by symbol.
    """

    async def work(run: TaskRun) -> dict[str, JsonValue]:
        failure: WorkflowError | None = None
        placing = OrderPlacing(
            run.database, run.broker, context.execution_id, reconnect_s=run.settings.ibkr_reconnect_s
        )
        orders: dict[str, JsonValue] = {}
        try:
            for symbol, raw in signals.items():
                signal = Signal.model_validate(raw)
                if not signal.actionable:
                    orders[symbol] = {"status": "NONE", "reason": signal.no_order_reason}
                    continue
                if context.dry_run:
                    quantity = str(run.settings.order_quantity)
                    orders[symbol] = {"status": "DRY_RUN", "quantity": quantity, "reason": "the run is a dry run"}
                    continue
                instrument = MarketData.model_validate(market_data[symbol]).instrument
                placed = await placing.place(instrument, signal.action, run.settings.order_quantity)
                orders[symbol] = placed.record.model_dump(mode="json")
                if placed.reconciled:
                    await run.note("degraded", f"order {placed.record.order_ref} had to be reconciled with the gateway")
                if placed.record.status is not OrderStatus.FILLED:
                    record = placed.record
                    cause = f"order {record.order_ref} is {record.status}: {record.reason or 'it is not done yet'}"
                    await run.note("degraded", cause)
        except WorkflowError as error:
            failure = error
        finally:
            await placing.close()
        # Artifacts come after all orders: the backend's troubles must not hold back an order.
        not_stored = await _store_orders(run, signals, orders)
        failure = failure or not_stored
        if failure is not None:
            raise failure
        return orders

    return run_task(context, work)


async def _store_orders(run: TaskRun, signals: BySymbol, orders: BySymbol) -> WorkflowError | None:
    """Store the artifact of each order, also after one that could not be stored; give the first failure."""
    failure: WorkflowError | None = None
    for symbol, order in orders.items():
        action = Signal.model_validate(signals[symbol]).action
        artifact = run.context.artifact("order", f"{symbol} order", symbol=symbol, action=action, metadata=order)
        try:
            await run.store(artifact)
        except WorkflowError as error:
            failure = failure or error
    return failure


def get_trades(context: TaskContext, symbols: Sequence[str]) -> dict[str, JsonValue]:
    """Record what the run's orders bought and sold, and store it.

    Args:
        context: the task.
        symbols: what run_preflight returned.

    Returns:
        The executions as JSON, by symbol.
    """

    async def work(run: TaskRun) -> dict[str, JsonValue]:
        async def ask(gateway: Gateway) -> dict[str, JsonValue]:
            _, fills = await reconcile(gateway, run.database, context.execution_id)
            return {
                symbol: [fill.model_dump(mode="json") for fill in fills if fill.symbol == symbol] for symbol in symbols
            }

        by_symbol = await run.broker.reading("get_trades", ask)
        for symbol, fills in by_symbol.items():
            artifact = context.artifact("trade", f"{symbol} trades", symbol=symbol, metadata={"executions": fills})
            await run.store(artifact)
        return by_symbol

    return run_task(context, work)


def get_portfolio(context: TaskContext) -> JsonValue:
    """Read and store what the account holds.

    Returns:
        Portfolio as JSON.
    """

    async def work(run: TaskRun) -> JsonValue:
        held = await run.broker.reading("get_portfolio", portfolio)
        await run.store(context.artifact("portfolio", "Portfolio", metadata=held.model_dump()))
        answer: JsonValue = held.model_dump(mode="json")
        return answer

    return run_task(context, work)


def finalize(context: TaskContext, states: Mapping[str, str]) -> str:
    """Replay the spool, record the run's outcome, and tell people when it is no success.

    Args:
        context: the task.
        states: the state of each other task, by task.

    Returns:
        The outcome.

    Raises:
        RunFailed: a task failed.
    """

    async def work(run: TaskRun) -> str:
        return (await outcome.finish(run, states)).value

    return run_task(context, work)


def tell_unfinished(context: TaskContext, cause: str) -> None:
    """Record and tell of a failed run, unless its last task has done so.

    Args:
        context: the last task.
        cause: what is known about its end.
    """
    asyncio.run(outcome.tell_unfinished(context, cause))
