//! Carries out the commands of driver.py with the blocking client; what differs between versions is in library.rs.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ibapi::accounts::types::{AccountGroup, AccountId};
use ibapi::accounts::{AccountSummaryResult, AccountUpdate, PositionUpdate};
use ibapi::client::blocking::Client;
use ibapi::orders::{ExecutionFilter, Executions, Orders};
use ibapi::Error;
use serde_json::{json, Value};

use crate::conversation::{Answer, Driver, Failure};
use crate::journal::Journal;
use crate::library;
use crate::terms as its;

const ANSWER: Duration = Duration::from_secs(8);
const DISCONNECT: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(50);
const TAGS: [&str; 5] = [
    "AccountType",
    "NetLiquidation",
    "TotalCashValue",
    "GrossPositionValue",
    "BuyingPower",
];

/// One connection of the library.
struct Session {
    client: Arc<Client>,
    journal: Arc<Journal>,
    account: AccountId,
    placed: Mutex<HashMap<i32, Value>>,
}

/// One connection at a time.
#[derive(Default)]
pub struct RustDriver {
    session: Mutex<Option<Arc<Session>>>,
}

impl Driver for RustDriver {
    fn answer(&self, command: &str, terms: &Value) -> Answer {
        match command {
            "connect" => return self.connect(terms),
            "disconnect" => {
                self.disconnect();
                return Ok(Value::Null);
            }
            _ => {}
        }
        let session = self
            .session
            .lock()
            .expect("no thread panicked with the session")
            .clone();
        match session {
            Some(session) => session.answer(command, terms),
            None if command == "is_connected" => Ok(json!(false)),
            // What there was went with the connection.
            None if command == "complaints" => Ok(json!([])),
            None => Err(Failure::new("ConnectionError", "there is no connection")),
        }
    }
}

impl RustDriver {
    fn connect(&self, terms: &Value) -> Answer {
        self.disconnect();
        let journal = Arc::new(Journal::default());
        let address = format!("127.0.0.1:{}", its::integer(terms, "port"));
        let connected = Client::connect(&address, its::integer(terms, "client_id"));
        let client = Arc::new(connected.map_err(|error| failed(&journal, &error))?);
        library::follow(&client, &journal).map_err(|error| failed(&journal, &error))?;
        let accounts = client.managed_accounts().map_err(|error| failed(&journal, &error))?;
        let told = json!({
            "server_version": client.server_version(),
            "accounts": accounts,
            "next_order_id": library::next_order_id(&client),
        });
        let account = AccountId(accounts.first().cloned().unwrap_or_default());
        let session = Session {
            client,
            journal,
            account,
            placed: Mutex::default(),
        };
        *self.session.lock().expect("no thread panicked with the session") = Some(Arc::new(session));
        Ok(told)
    }

    fn disconnect(&self) {
        if let Some(session) = self.session.lock().expect("no thread panicked with the session").take() {
            // A thread that followed the orders for ever would keep the library's socket open.
            session.journal.with(|known| known.is_over = true);
            let client = session.client.clone();
            // The library's call returns only once nothing has come for a second, so that ticks keep it for ever.
            let ended = thread::spawn(move || client.disconnect());
            let ends = Instant::now() + DISCONNECT;
            while !ended.is_finished() && Instant::now() < ends {
                thread::sleep(LOOK);
            }
        }
    }
}

impl Session {
    fn answer(&self, command: &str, terms: &Value) -> Answer {
        match command {
            "is_connected" => Ok(json!(self.client.is_connected())),
            "faults" => Ok(json!(self.journal.with(|known| known.faults.clone()))),
            "complaints" => Ok(json!(self.journal.with(|known| std::mem::take(&mut known.complaints)))),
            "wait_for_status" => self.wait_for_status(its::integer(terms, "order_id"), its::text(terms, "status")),
            "wait_for_fills" => self.wait_for_fills(its::integer(terms, "order_id"), its::integer(terms, "count")),
            "wait_for_end" => self.wait_for_end(),
            _ => self
                .ask(command, terms)
                .map_err(|error| failed(&self.journal, &error))?,
        }
    }

    /// Call the library; an error of the gateway is entered among the faults as well.
    fn ask(&self, command: &str, terms: &Value) -> Result<Answer, Error> {
        Ok(Ok(match command {
            "current_time" => json!(self.client.server_time()?.unix_timestamp()),
            "qualify" => {
                // Like the other libraries' drivers: no contract where the gateway refuses.
                match self.client.contract_details(&its::described_by(terms)) {
                    Ok(found) => json!(found.iter().map(its::contract).collect::<Vec<_>>()),
                    Err(error) if library::code_of(&error).is_some() => {
                        failed(&self.journal, &error);
                        json!([])
                    }
                    Err(error) => return Err(error),
                }
            }
            "bars" => library::daily_bars(&self.client, its::text(terms, "symbol"), its::text(terms, "duration"))?,
            "intraday_bars" => library::bars_of_an_hour(&self.client, its::text(terms, "symbol"))?,
            "snapshot" => library::quote(&self.client, its::text(terms, "symbol"), true)?,
            "stream" => library::quote(&self.client, its::text(terms, "symbol"), false)?,
            "place" => json!(self.submit(self.client.next_order_id(), terms)?),
            "place_as" => json!(self.submit(its::integer(terms, "order_id"), terms)?),
            "modify" => self.modify(its::integer(terms, "order_id"), its::number(terms, "limit_price"))?,
            "cancel" => library::cancel(&self.client, &self.journal, its::integer(terms, "order_id"))?,
            "bracket" => library::bracket(&self.client, terms)?,
            "one_cancels_all" => library::one_cancels_all(&self.client, terms)?,
            "open_orders" => self.open_orders(terms["everyone"] == true)?,
            "completed_orders" => self.completed_orders()?,
            "executions" => self.executions()?,
            "positions" => self.positions()?,
            "account_summary" => self.account_summary()?,
            "account_updates" => self.account_updates()?,
            "pnl" => self.pnl()?,
            _ => {
                return Ok(Err(Failure::new(
                    "ValueError",
                    format!("there is no command '{command}'"),
                )))
            }
        }))
    }

    fn submit(&self, order_id: i32, ticket: &Value) -> Result<i32, Error> {
        self.placed
            .lock()
            .expect("no thread panicked with the tickets")
            .insert(order_id, ticket.clone());
        self.client.submit_order(
            order_id,
            &its::stock(its::text(ticket, "symbol")),
            &its::order_of(ticket),
        )?;
        Ok(order_id)
    }

    fn modify(&self, order_id: i32, limit_price: f64) -> Result<Value, Error> {
        let placed = self
            .placed
            .lock()
            .expect("no thread panicked with the tickets")
            .get(&order_id)
            .cloned();
        let mut ticket = placed.unwrap_or_default();
        ticket["limit_price"] = json!(limit_price);
        self.submit(order_id, &ticket)?;
        Ok(Value::Null)
    }

    fn open_orders(&self, everyone: bool) -> Result<Value, Error> {
        let asked = if everyone {
            self.client.all_open_orders()?
        } else {
            self.client.open_orders()?
        };
        let rows = library::rows(&asked).collect::<Result<Vec<_>, Error>>()?;
        // Version 2 gives what it was told of orders before it asked as well; the latest of each counts.
        let mut latest = BTreeMap::new();
        for data in rows.iter().filter_map(order_data) {
            latest.insert(data.order_id, its::open_order(data));
        }
        Ok(latest.into_values().collect())
    }

    fn completed_orders(&self) -> Result<Value, Error> {
        let rows = library::rows(&self.client.completed_orders(false)?).collect::<Result<Vec<_>, Error>>()?;
        Ok(rows.iter().filter_map(order_data).map(its::completed_order).collect())
    }

    fn executions(&self) -> Result<Value, Error> {
        let rows =
            library::rows(&self.client.executions(ExecutionFilter::default())?).collect::<Result<Vec<_>, Error>>()?;
        let mut costs = HashMap::new();
        for row in &rows {
            if let Executions::CommissionReport(report) = row {
                costs.insert(report.execution_id.clone(), its::cost(report));
            }
        }
        let told = rows.iter().filter_map(|row| match row {
            Executions::ExecutionData(data) => Some(its::with_cost(
                its::execution(data),
                costs.get(&data.execution.execution_id),
            )),
            _ => None,
        });
        Ok(told.collect())
    }

    fn positions(&self) -> Result<Value, Error> {
        let mut held = Vec::new();
        for row in library::rows(&self.client.positions()?) {
            match row? {
                PositionUpdate::Position(it) => held.push(json!({
                    "account": it.account,
                    "con_id": it.contract.contract_id,
                    "symbol": it.contract.symbol.to_string(),
                    "quantity": it.position,
                    "average_cost": it.average_cost,
                })),
                PositionUpdate::PositionEnd => break,
            }
        }
        Ok(json!(held))
    }

    fn account_summary(&self) -> Result<Value, Error> {
        let mut values = Vec::new();
        for row in library::rows(&self.client.account_summary(&AccountGroup("All".to_string()), &TAGS)?) {
            match row? {
                AccountSummaryResult::Summary(it) => values
                    .push(json!({ "account": it.account, "tag": it.tag, "value": it.value, "currency": it.currency })),
                AccountSummaryResult::End => break,
            }
        }
        Ok(json!(values))
    }

    fn account_updates(&self) -> Result<Value, Error> {
        let mut values = Vec::new();
        for row in library::rows(&self.client.account_updates(&self.account)?) {
            match row? {
                AccountUpdate::AccountValue(it) => values
                    .push(json!({ "account": it.account, "tag": it.key, "value": it.value, "currency": it.currency })),
                AccountUpdate::End => break,
                _ => {}
            }
        }
        Ok(json!(values))
    }

    fn pnl(&self) -> Result<Value, Error> {
        let asked = self.client.pnl(&self.account, None)?;
        let told = library::rows(&asked)
            .next()
            .unwrap_or(Err(Error::UnexpectedEndOfStream))?;
        Ok(json!({ "daily": told.daily_pnl, "unrealized": told.unrealized_pnl, "realized": told.realized_pnl }))
    }

    fn wait_for_status(&self, order_id: i32, status: &str) -> Answer {
        let find = |known: &crate::journal::Known| {
            let progress = known.progress.get(&order_id)?;
            progress
                .iter()
                .any(|step| step["status"] == status)
                .then(|| json!(progress))
        };
        self.journal.until(find, &format!("order {order_id} {status}"), ANSWER)
    }

    fn wait_for_fills(&self, order_id: i32, count: i32) -> Answer {
        let find = |known: &crate::journal::Known| {
            let fills = known.fills(order_id);
            (fills.len() >= count as usize).then(|| json!(fills))
        };
        self.journal
            .until(find, &format!("{count} fills of order {order_id}"), ANSWER)
    }

    /// The library tells of no end; whether it is connected has to be asked.
    fn wait_for_end(&self) -> Answer {
        let ends = Instant::now() + ANSWER;
        while self.client.is_connected() {
            if Instant::now() > ends {
                return Err(Failure::new(
                    "TimeoutError",
                    format!("the end of the connection: not within {ANSWER:?}"),
                ));
            }
            thread::sleep(LOOK);
        }
        Ok(Value::Null)
    }
}

fn order_data(row: &Orders) -> Option<&ibapi::orders::OrderData> {
    match row {
        Orders::OrderData(data) => Some(data),
        _ => None,
    }
}

fn failed(journal: &Journal, error: &Error) -> Failure {
    if let Some((request_id, code, text)) = library::code_of(error) {
        journal.with(|known| known.note_fault(request_id, code, &text));
    }
    Failure::new("Error", format!("{error:?}"))
}
