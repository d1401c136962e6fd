//! The adapter over a listener over the embedded log: the contract suite, and what is special to
//! talking to a server. With `ACCORD_TEST_EVENTSTORE=esdb://...` the suite runs over that server
//! as well.

mod access;
mod faults;
mod outages;
mod server;

use std::sync::Arc;

use accord_eventlog::{EventLog, contract::Subject, event_log_contract};
use async_trait::async_trait;

use crate::{Address, KurrentLog, tests::server::Place};

#[async_trait]
impl Subject for Place {
    async fn open(&self) -> Arc<dyn EventLog> {
        self.start().await;
        Arc::new(self.log())
    }

    /// The server restarts too: nothing may depend on what either side keeps in memory.
    async fn reopen(&self, log: Arc<dyn EventLog>) -> Arc<dyn EventLog> {
        drop(log);
        self.kill().await;
        self.open().await
    }
}

event_log_contract!(Place::new());

/// Some other server, named by whoever runs the tests.
struct Elsewhere(Address);

#[async_trait]
impl Subject for Elsewhere {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(KurrentLog::new(self.0.clone()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds_over_a_real_server_where_one_is_given() {
    let Ok(url) = std::env::var("ACCORD_TEST_EVENTSTORE") else {
        eprintln!("\n*** ACCORD_TEST_EVENTSTORE is not set: NO REAL SERVER WAS TESTED ***\n");
        return;
    };
    let address = Address::parse(&url).unwrap().with_login_of_environment().unwrap();
    for case in accord_eventlog::contract::cases() {
        eprintln!("{} at {address}", case.name);
        (case.run)(&Elsewhere(address.clone())).await;
    }
}
