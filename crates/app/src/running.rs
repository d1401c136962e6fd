//! Commands on their way. What their events set off is their own request's to carry out; the policy
//! runner waits, so that the answer comes after everything that the command did.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;

/// The commands that callers are waiting for, by the correlation of their events.
#[derive(Default)]
pub(crate) struct Running {
    correlations: Mutex<HashSet<Uuid>>,
    ended: Notify,
}

/// A command on its way until this is dropped, also when its caller goes away.
pub(crate) struct Underway<'a> {
    running: &'a Running,
    correlation: Uuid,
    /// A retry that came while the command was on its way ends nothing.
    first: bool,
}

impl Running {
    pub(crate) fn begin(&self, correlation: Uuid) -> Underway<'_> {
        let first = self.change(|correlations| correlations.insert(correlation));
        Underway { running: self, correlation, first }
    }

    /// Waits while this command is on its way.
    pub(crate) async fn end_of(&self, correlation: Uuid) {
        loop {
            // Asked for before looking, so that no end is missed.
            let ended = self.ended.notified();
            if !self.change(|correlations| correlations.contains(&correlation)) {
                return;
            }
            ended.await;
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut HashSet<Uuid>) -> T) -> T {
        change(&mut self.correlations.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        if self.first {
            self.running.change(|correlations| correlations.remove(&self.correlation));
            self.running.ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::poll;

    use super::*;

    const COMMAND: Uuid = Uuid::from_u128(1);

    #[tokio::test]
    async fn a_command_that_is_not_on_its_way_keeps_nobody_waiting() {
        let running = Running::default();
        let _other = running.begin(Uuid::from_u128(2));
        assert!(poll!(pin!(running.end_of(COMMAND))).is_ready());
    }

    #[tokio::test]
    async fn the_end_of_a_command_is_waited_for() {
        let running = Running::default();
        let command = running.begin(COMMAND);
        let mut end = pin!(running.end_of(COMMAND));
        assert!(poll!(&mut end).is_pending());
        drop(command);
        assert!(poll!(&mut end).is_ready());
    }

    #[tokio::test]
    async fn a_retry_does_not_end_the_command_that_it_repeats() {
        let running = Running::default();
        let _command = running.begin(COMMAND);
        drop(running.begin(COMMAND));
        assert!(poll!(pin!(running.end_of(COMMAND))).is_pending());
    }
}
