//! Terms from the library's objects, and its objects from terms; what they mean stands in terms.py.

use std::collections::HashMap;

use ibapi::contracts::{Contract, ContractDetails, SecurityType};
use ibapi::orders::{order_builder, Action, CommissionReport, ExecutionData, Order, OrderData, OrderStatus};
use serde_json::{json, Value};
use time::Date;

use crate::journal::add;

/// A figure that one version of the library always gives, and another only where it is set.
pub trait Figure {
    fn or_zero(&self) -> f64;
}

impl Figure for f64 {
    fn or_zero(&self) -> f64 {
        *self
    }
}

impl Figure for Option<f64> {
    fn or_zero(&self) -> f64 {
        self.unwrap_or_default()
    }
}

/// Describe a contract as a client does.
pub fn stock(symbol: &str) -> Contract {
    let mut described = Contract::stock(symbol).build();
    described.exchange = "SMART".into();
    described.currency = "USD".into();
    described
}

/// Describe a contract by any of its names.
pub fn described_by(terms: &Value) -> Contract {
    let mut described = stock(text(terms, "symbol"));
    described.local_symbol = text(terms, "local_symbol").to_string();
    if text(terms, "security_type") != "STK" {
        described.security_type = SecurityType::Other(text(terms, "security_type").to_string());
    }
    described
}

pub fn text<'a>(terms: &'a Value, name: &str) -> &'a str {
    terms[name].as_str().unwrap_or_default()
}

pub fn number(terms: &Value, name: &str) -> f64 {
    terms[name].as_f64().unwrap_or_default()
}

pub fn integer(terms: &Value, name: &str) -> i32 {
    terms[name]
        .as_i64()
        .and_then(|wide| i32::try_from(wide).ok())
        .unwrap_or_default()
}

/// Make the order that a ticket asks for, with the library's own functions.
pub fn order_of(ticket: &Value) -> Order {
    let action = if text(ticket, "action") == "BUY" {
        Action::Buy
    } else {
        Action::Sell
    };
    let quantity = number(ticket, "quantity");
    let mut order = match text(ticket, "order_type") {
        "LMT" => order_builder::limit_order(action, quantity, number(ticket, "limit_price")),
        "STP" => order_builder::stop(action, quantity, number(ticket, "stop_price")),
        _ => order_builder::market_order(action, quantity),
    };
    order.order_ref = text(ticket, "reference").to_string();
    order
}

pub fn contract(details: &ContractDetails) -> Value {
    let c = &details.contract;
    json!({
        "con_id": c.contract_id,
        "symbol": c.symbol.to_string(),
        "security_type": c.security_type.to_string(),
        "exchange": c.exchange.to_string(),
        "primary_exchange": c.primary_exchange.to_string(),
        "currency": c.currency.to_string(),
        "trading_class": c.trading_class,
    })
}

pub fn progress(status: &OrderStatus) -> Value {
    json!({
        "status": status.status.to_string(),
        "filled": status.filled,
        "remaining": status.remaining,
        "average_price": status.average_fill_price.or_zero(),
        "perm_id": status.perm_id,
    })
}

pub fn execution(data: &ExecutionData) -> Value {
    let done = &data.execution;
    json!({
        "exec_id": done.execution_id,
        "order_id": done.order_id,
        "perm_id": done.perm_id,
        "client_id": done.client_id,
        "account": done.account_number,
        "symbol": data.contract.symbol.to_string(),
        "side": done.side.to_string(),
        "shares": done.shares,
        "price": done.price,
        "cumulative": done.cumulative_quantity,
        "average_price": done.average_price,
        "reference": done.order_reference,
        // The library leaves the time as text.
        "executed_at_s": 0,
        "commission": 0.0,
        "commission_currency": "",
        "realized_pnl": 0.0,
    })
}

pub fn cost(report: &CommissionReport) -> Value {
    json!({
        "commission": report.commission,
        "commission_currency": report.currency,
        "realized_pnl": report.realized_pnl.unwrap_or_default(),
    })
}

pub fn with_cost(mut execution: Value, report: Option<&Value>) -> Value {
    if let Some(report) = report {
        add(&mut execution, report);
    }
    execution
}

pub fn ticket(data: &OrderData) -> Value {
    let order = &data.order;
    json!({
        "symbol": data.contract.symbol.to_string(),
        "action": order.action.to_string(),
        "quantity": order.total_quantity,
        "order_type": order.order_type,
        "limit_price": if order.order_type == "LMT" { order.limit_price } else { None },
        "stop_price": if order.order_type == "STP" { order.aux_price } else { None },
        "reference": order.order_ref,
    })
}

pub fn open_order(data: &OrderData) -> Value {
    json!({
        "order_id": data.order_id,
        "perm_id": data.order.perm_id,
        "client_id": data.order.client_id,
        "ticket": ticket(data),
        "status": data.order_state.status.to_string(),
    })
}

pub fn completed_order(data: &OrderData) -> Value {
    json!({
        "perm_id": data.order.perm_id,
        "ticket": ticket(data),
        "status": data.order_state.status.to_string(),
        "filled": data.order.filled_quantity,
    })
}

// Source: "Tick Types" in the TWS API documentation.
const TICKS: [(&str, i32); 11] = [
    ("bid", 1),
    ("ask", 2),
    ("last", 4),
    ("bid_size", 0),
    ("ask_size", 3),
    ("last_size", 5),
    ("open", 14),
    ("high", 6),
    ("low", 7),
    ("previous_close", 9),
    ("volume", 8),
];

/// Say whether every tick of a quote has come.
pub fn is_whole(values: &HashMap<i32, f64>) -> bool {
    TICKS.iter().all(|(_, tick_type)| values.contains_key(tick_type))
}

/// Read ticks, by type.
pub fn quote(values: &HashMap<i32, f64>) -> Value {
    TICKS
        .iter()
        .map(|(name, tick_type)| (name.to_string(), json!(values.get(tick_type))))
        .collect()
}

/// Prices and volume of a bar, without its time.
pub fn trading(open: f64, high: f64, low: f64, close: f64, volume: f64) -> Value {
    json!({ "open": open, "high": high, "low": low, "close": close, "volume": volume })
}

/// The day of a bar as text.
pub fn day_of(day: Date) -> Value {
    json!(day.to_string())
}
