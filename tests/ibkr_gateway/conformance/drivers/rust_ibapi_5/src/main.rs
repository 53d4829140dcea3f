//! Drives ibapi 5.5.

#[path = "../../rust/conversation.rs"]
mod conversation;
#[path = "../../rust/driver.rs"]
mod driver;
#[path = "../../rust/journal.rs"]
mod journal;
mod library;
#[path = "../../rust/terms.rs"]
mod terms;

fn main() {
    conversation::converse(driver::RustDriver::default());
}
