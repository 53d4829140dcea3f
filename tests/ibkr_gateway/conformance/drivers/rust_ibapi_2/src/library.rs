//! What is particular to ibapi 2.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ibapi::client::blocking::{Client, Subscription};
use ibapi::market_data::historical::{Bar, BarSize, WhatToShow};
use ibapi::market_data::realtime::TickTypes;
use ibapi::market_data::TradingHours;
use ibapi::orders::{order_builder, Action, CancelOrder, OrderUpdate};
use ibapi::Error;
use serde_json::{json, Value};

use crate::journal::Journal;
use crate::terms as its;

const LOOK: Duration = Duration::from_millis(50);

/// Enter in the journal, from a thread of its own, what is told about orders until the connection ends.
pub fn follow(client: &Arc<Client>, journal: &Arc<Journal>) -> Result<(), Error> {
    let (updates, journal, own_id) = (client.order_update_stream()?, journal.clone(), client.client_id());
    thread::spawn(move || {
        while !journal.with(|known| known.is_over) {
            let Some(update) = updates.next_timeout(LOOK) else {
                continue;
            };
            journal.with(|known| match update {
                OrderUpdate::OrderStatus(it) if it.client_id == own_id => {
                    known.note_progress(it.order_id, its::progress(&it))
                }
                OrderUpdate::ExecutionData(it) => known.note_execution(its::execution(&it)),
                OrderUpdate::CommissionReport(it) => known.note_commission(&it.execution_id, &its::cost(&it)),
                OrderUpdate::Message(it) => known.note_fault(None, it.code, &it.message),
                _ => {}
            });
        }
    });
    Ok(())
}

/// What of a subscription is read; the trait that the library declares it with is not public.
pub trait Rows {
    type Row;

    fn next_row(&self) -> Option<Self::Row>;
    fn last_error(&self) -> Option<Error>;
}

/// Give what a subscription yields, and the error that ends it.
pub fn rows<S: Rows>(subscription: &S) -> impl Iterator<Item = Result<S::Row, Error>> + '_ {
    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let row = subscription.next_row();
        is_over = row.is_none();
        row.map(Ok).or_else(|| subscription.last_error().map(Err))
    })
}

macro_rules! rows_of {
    ($($kind:ty),*) => {$(
        impl Rows for Subscription<$kind> {
            type Row = $kind;

            fn next_row(&self) -> Option<$kind> {
                self.next()
            }

            fn last_error(&self) -> Option<Error> {
                self.error()
            }
        }
    )*};
}
rows_of!(
    ibapi::orders::Orders,
    ibapi::orders::Executions,
    ibapi::accounts::PositionUpdate,
    ibapi::accounts::AccountSummaryResult,
    ibapi::accounts::AccountUpdate,
    ibapi::accounts::PnL,
    CancelOrder,
    TickTypes
);

/// The request, code and text of an error that the gateway told; the library does not say which request it was.
pub fn code_of(error: &Error) -> Option<(Option<i32>, i32, String)> {
    match error {
        Error::Message(code, text) => Some((None, *code, text.clone())),
        _ => None,
    }
}

/// Look at the next order id without using it up.
pub fn next_order_id(client: &Client) -> i32 {
    client.next_valid_order_id().unwrap_or_default()
}

pub fn daily_bars(client: &Client, symbol: &str, duration: &str) -> Result<Value, Error> {
    let with_day = |bar: &Bar| told(bar, "day", its::day_of(bar.date.date()));
    Ok(history(client, symbol, duration, BarSize::Day)?
        .iter()
        .map(with_day)
        .collect())
}

pub fn bars_of_an_hour(client: &Client, symbol: &str) -> Result<Value, Error> {
    let with_time = |bar: &Bar| told(bar, "at_s", json!(bar.date.unix_timestamp()));
    Ok(history(client, symbol, "1 D", BarSize::Hour)?
        .iter()
        .map(with_time)
        .collect())
}

fn history(client: &Client, symbol: &str, duration: &str, size: BarSize) -> Result<Vec<Bar>, Error> {
    let contract = its::stock(symbol);
    let hours = TradingHours::Regular;
    Ok(client
        .historical_data(&contract, None, duration.into(), size, WhatToShow::Trades, hours)?
        .bars)
}

fn told(bar: &Bar, name: &str, at: Value) -> Value {
    let mut told = its::trading(bar.open, bar.high, bar.low, bar.close, bar.volume);
    told[name] = at;
    told
}

pub fn quote(client: &Client, symbol: &str, is_snapshot: bool) -> Result<Value, Error> {
    let contract = its::stock(symbol);
    let asked = client.market_data(&contract);
    let ticks = if is_snapshot {
        asked.snapshot().subscribe()?
    } else {
        asked.subscribe()?
    };
    let mut values = HashMap::new();
    for row in rows(&ticks) {
        match row? {
            TickTypes::Price(it) => drop(values.insert(it.tick_type as i32, it.price)),
            TickTypes::Size(it) => drop(values.insert(it.tick_type as i32, it.size)),
            TickTypes::PriceSize(it) => {
                values.insert(it.price_tick_type as i32, it.price);
                values.insert(it.size_tick_type as i32, it.size);
            }
            TickTypes::SnapshotEnd => break,
            _ => {}
        }
        if !is_snapshot && its::is_whole(&values) {
            break;
        }
    }
    Ok(its::quote(&values))
}

/// Cancel an order, and enter what comes in answer as long as the connection lasts.
pub fn cancel(client: &Client, journal: &Arc<Journal>, order_id: i32) -> Result<Value, Error> {
    let (answers, journal) = (client.cancel_order(order_id, "")?, journal.clone());
    thread::spawn(move || {
        for row in rows(&answers) {
            journal.with(|known| match row {
                Ok(CancelOrder::OrderStatus(it)) => known.note_progress(it.order_id, its::progress(&it)),
                Ok(CancelOrder::Notice(it)) => known.note_fault(Some(order_id), it.code, &it.message),
                Err(error) => {
                    if let Some((_, code, text)) = code_of(&error) {
                        known.note_fault(Some(order_id), code, &text);
                    }
                }
            });
        }
    });
    Ok(Value::Null)
}

/// Place a bracket with the library's own function.
pub fn bracket(client: &Client, wanted: &Value) -> Result<Value, Error> {
    let parent_id = client.next_order_id();
    let action = if its::text(wanted, "action") == "BUY" {
        Action::Buy
    } else {
        Action::Sell
    };
    let price = |name| its::number(wanted, name);
    let (limit, target, stop) = (
        price("limit_price"),
        price("take_profit_price"),
        price("stop_loss_price"),
    );
    let orders = order_builder::bracket_order(parent_id, action, its::number(wanted, "quantity"), limit, target, stop);
    let contract = its::stock(its::text(wanted, "symbol"));
    for (place, order) in orders.iter().enumerate() {
        if place > 0 {
            client.next_order_id();
        }
        client.submit_order(order.order_id, &contract, order)?;
    }
    Ok(orders.iter().map(|order| json!(order.order_id)).collect())
}

/// Place a group with the library's own function.
pub fn one_cancels_all(client: &Client, terms: &Value) -> Result<Value, Error> {
    let placed = terms["tickets"].as_array().into_iter().flatten().map(|ticket| {
        let mut order = its::order_of(ticket);
        order.oca_group = its::text(terms, "group").to_string();
        order.oca_type = ibapi::orders::OcaType::CancelWithBlock;
        (its::stock(its::text(ticket, "symbol")), order)
    });
    let order_ids = client.submit_oca_orders(placed.collect())?;
    Ok(order_ids.iter().map(|order_id| json!(order_id.value())).collect())
}
