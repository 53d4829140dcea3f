//! Commands as JSON lines on standard input, one answer as a JSON line on standard output for each; as conversation.py.

use std::io::{BufRead, Write};
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

// The journal's waits are shorter, so that they can say what is missing.
const LONGEST: Duration = Duration::from_secs(10);

/// Why a command has no result: the kind of error, and its text.
pub struct Failure {
    pub kind: String,
    pub text: String,
}

impl Failure {
    pub fn new(kind: &str, text: impl ToString) -> Self {
        Failure {
            kind: kind.to_string(),
            text: text.to_string(),
        }
    }
}

pub type Answer = Result<Value, Failure>;

/// What carries out commands; from several threads, because a call of the library that never returns keeps its own.
pub trait Driver: Send + Sync + 'static {
    fn answer(&self, command: &str, terms: &Value) -> Answer;
}

/// Do what is asked, one command after the other, until standard input ends.
pub fn converse(driver: impl Driver) {
    let driver = Arc::new(driver);
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input is text");
        let request: Value = serde_json::from_str(&line).expect("a command is a JSON object");
        let mut told = match answer_in_time(&driver, &request) {
            Ok(result) => json!({ "result": result }),
            Err(failure) => json!({ "error": failure.kind, "text": failure.text }),
        };
        told["number"] = request["number"].clone();
        println!("{told}");
        std::io::stdout().flush().expect("standard output is open");
    }
    let _ = driver.answer("disconnect", &Value::Null);
    // Threads in calls that never return would keep the process.
    std::process::exit(0);
}

fn answer_in_time<D: Driver>(driver: &Arc<D>, request: &Value) -> Answer {
    let (sender, receiver) = mpsc::channel();
    let command = request["command"].as_str().unwrap_or_default().to_string();
    let (its, name, terms) = (driver.clone(), command.clone(), request["arguments"].clone());
    thread::spawn(move || sender.send(its.answer(&name, &terms)));
    match receiver.recv_timeout(LONGEST) {
        Ok(answer) => answer,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Failure::new(
            "TimeoutError",
            format!("{command}: no answer within {LONGEST:?}"),
        )),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(Failure::new("Panic", format!("{command} panicked"))),
    }
}
