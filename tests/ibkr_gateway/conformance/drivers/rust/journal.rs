//! What the gateway told a client without being asked, and a way to wait for it; as journal.py.

use std::collections::{HashMap, HashSet};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{json, Value};

use crate::conversation::{Answer, Failure};

const LOOK: Duration = Duration::from_millis(50);

/// Everything since the connect.
#[derive(Default)]
pub struct Known {
    pub faults: Vec<Value>,
    pub progress: HashMap<i32, Vec<Value>>,
    pub executions: Vec<Value>,
    pub commissioned: HashSet<String>,
    /// What the library could not make sense of.
    pub complaints: Vec<String>,
    pub is_over: bool,
}

impl Known {
    /// Enter where an order stands, unless it stood there before.
    pub fn note_progress(&mut self, order_id: i32, progress: Value) {
        let known = self.progress.entry(order_id).or_default();
        if known.last() != Some(&progress) {
            known.push(progress);
        }
    }

    /// Enter a fill, whose commission is told later.
    pub fn note_execution(&mut self, execution: Value) {
        if !self
            .executions
            .iter()
            .any(|known| known["exec_id"] == execution["exec_id"])
        {
            self.executions.push(execution);
        }
    }

    /// Enter what a fill has cost.
    pub fn note_commission(&mut self, exec_id: &str, cost: &Value) {
        if let Some(known) = self.executions.iter_mut().find(|known| known["exec_id"] == exec_id) {
            add(known, cost);
            self.commissioned.insert(exec_id.to_string());
        }
    }

    /// Enter an error or a notice; the library does not always say which request it belongs to.
    pub fn note_fault(&mut self, request_id: Option<i32>, code: i32, text: &str) {
        self.faults
            .push(json!({ "request_id": request_id.unwrap_or(-1), "code": code, "text": text }));
    }

    /// Return the fills of an order whose commission is known.
    pub fn fills(&self, order_id: i32) -> Vec<Value> {
        let is_whole = |known: &&Value| {
            known["order_id"] == order_id
                && self
                    .commissioned
                    .contains(known["exec_id"].as_str().unwrap_or_default())
        };
        self.executions.iter().filter(is_whole).cloned().collect()
    }
}

/// Enter the members of one JSON object in another.
pub fn add(object: &mut Value, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
}

#[derive(Default)]
pub struct Journal {
    known: Mutex<Known>,
    changed: Condvar,
}

impl Journal {
    /// Read or enter something, and let the commands that wait look again.
    pub fn with<T>(&self, act: impl FnOnce(&mut Known) -> T) -> T {
        let done = act(&mut self.known.lock().expect("no thread panicked with the journal"));
        self.changed.notify_all();
        done
    }

    /// Return what is looked for as soon as it is there, or fail when the deadline has passed.
    pub fn until(&self, find: impl Fn(&Known) -> Option<Value>, what: &str, deadline: Duration) -> Answer {
        let ends = Instant::now() + deadline;
        let mut known = self.known.lock().expect("no thread panicked with the journal");
        loop {
            if let Some(found) = find(&known) {
                return Ok(found);
            }
            if Instant::now() > ends {
                let told = (&known.faults, &known.progress, &known.executions);
                return Err(Failure::new(
                    "TimeoutError",
                    format!("{what}: not within {deadline:?}; {told:?}"),
                ));
            }
            known = self
                .changed
                .wait_timeout(known, LOOK)
                .expect("no thread panicked with the journal")
                .0;
        }
    }
}
