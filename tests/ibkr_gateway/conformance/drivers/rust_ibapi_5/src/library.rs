//! What is particular to ibapi 5.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ibapi::client::blocking::Client;
use ibapi::market_data::historical::{Bar, BarSize, BarTimestamp, WhatToShow};
use ibapi::market_data::realtime::TickTypes;
use ibapi::orders::{CancelOrder, OrderUpdate};
use ibapi::subscriptions::sync::Subscription;
use ibapi::subscriptions::SubscriptionItem;
use ibapi::Error;
use serde_json::{json, Value};

use crate::journal::Journal;
use crate::terms as its;

const LOOK: Duration = Duration::from_millis(50);

/// Enter in the journal, from threads of their own, what is told without being asked for until the connection ends.
pub fn follow(client: &Arc<Client>, journal: &Arc<Journal>) -> Result<(), Error> {
    let notices = client.notice_stream()?;
    let noted = journal.clone();
    thread::spawn(move || {
        for it in notices.iter() {
            noted.with(|known| known.note_fault(it.request_id, it.code, &it.message));
        }
    });
    let (updates, journal, own_id) = (client.order_update_stream()?, journal.clone(), client.client_id());
    thread::spawn(move || {
        while !journal.with(|known| known.is_over) {
            let Some(update) = updates.next_timeout(LOOK) else {
                continue;
            };
            journal.with(|known| match update {
                Ok(SubscriptionItem::Data(OrderUpdate::OrderStatus(it))) if it.client_id == own_id => {
                    known.note_progress(it.order_id, its::progress(&it))
                }
                Ok(SubscriptionItem::Data(OrderUpdate::ExecutionData(it))) => known.note_execution(its::execution(&it)),
                Ok(SubscriptionItem::Data(OrderUpdate::CommissionReport(it))) => {
                    known.note_commission(&it.execution_id, &its::cost(&it))
                }
                Ok(SubscriptionItem::Notice(it)) => known.note_fault(it.request_id, it.code, &it.message),
                Ok(_) => {}
                Err(error) => known.complaints.push(format!("{error:?}")),
            });
        }
    });
    Ok(())
}

/// What of a subscription is read; the trait that the library declares it with is not public.
pub trait Rows {
    type Row;

    fn next_row(&self) -> Option<Result<Self::Row, Error>>;
}

/// Give what a subscription yields, and the error that ends it.
pub fn rows<S: Rows>(subscription: &S) -> impl Iterator<Item = Result<S::Row, Error>> + '_ {
    std::iter::from_fn(move || subscription.next_row())
}

macro_rules! rows_of {
    ($($kind:ty),*) => {$(
        impl Rows for Subscription<$kind> {
            type Row = $kind;

            fn next_row(&self) -> Option<Result<$kind, Error>> {
                self.next_data()
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

/// The request, code and text of an error that the gateway told.
pub fn code_of(error: &Error) -> Option<(Option<i32>, i32, String)> {
    match error {
        Error::Notice(it) => Some((it.request_id, it.code, it.message.clone())),
        _ => None,
    }
}

/// Look at the next order id without using it up.
pub fn next_order_id(client: &Client) -> i32 {
    client.next_valid_order_id().unwrap_or_default()
}

pub fn daily_bars(client: &Client, symbol: &str, duration: &str) -> Result<Value, Error> {
    let with_day = |bar: &Bar| match bar.date {
        BarTimestamp::Date(day) => told(bar, "day", its::day_of(day)),
        BarTimestamp::DateTime(at) => told(bar, "day", json!(at.to_string())),
    };
    Ok(history(client, symbol, duration, BarSize::Day)?
        .iter()
        .map(with_day)
        .collect())
}

pub fn bars_of_an_hour(client: &Client, symbol: &str) -> Result<Value, Error> {
    let with_time = |bar: &Bar| match bar.date {
        BarTimestamp::Date(day) => told(bar, "at_s", its::day_of(day)),
        BarTimestamp::DateTime(at) => told(bar, "at_s", json!(at.unix_timestamp())),
    };
    Ok(history(client, symbol, "1 D", BarSize::Hour)?
        .iter()
        .map(with_time)
        .collect())
}

fn history(client: &Client, symbol: &str, duration: &str, size: BarSize) -> Result<Vec<Bar>, Error> {
    let contract = its::stock(symbol);
    let asked = client
        .historical_data(&contract, size)
        .what_to_show(WhatToShow::Trades)
        .duration(duration.parse()?);
    Ok(asked.fetch()?.bars)
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
        for item in answers.iter() {
            journal.with(|known| match item {
                Ok(SubscriptionItem::Data(CancelOrder::OrderStatus(it))) => {
                    known.note_progress(it.order_id, its::progress(&it))
                }
                Ok(SubscriptionItem::Notice(it)) => known.note_fault(it.request_id, it.code, &it.message),
                Err(error) => {
                    if let Some((_, code, text)) = code_of(&error) {
                        known.note_fault(Some(order_id), code, &text)
                    }
                }
            });
        }
    });
    Ok(Value::Null)
}

/// Place a bracket with the library's own builder.
pub fn bracket(client: &Client, wanted: &Value) -> Result<Value, Error> {
    let contract = its::stock(its::text(wanted, "symbol"));
    let (order, quantity) = (client.order(&contract), its::number(wanted, "quantity"));
    let order = if its::text(wanted, "action") == "BUY" {
        order.buy(quantity)
    } else {
        order.sell(quantity)
    };
    let ids = order
        .bracket()
        .entry_limit(its::number(wanted, "limit_price"))
        .take_profit(its::number(wanted, "take_profit_price"))
        .stop_loss(its::number(wanted, "stop_loss_price"))
        .submit_all()?;
    Ok(json!([
        ids.parent.value(),
        ids.take_profit.value(),
        ids.stop_loss.value()
    ]))
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
