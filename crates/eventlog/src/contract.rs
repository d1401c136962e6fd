//! The suite that every adapter of [`EventLog`] passes (feature `contract`).
//!
//! An adapter's tests implement [`Subject`] and call
//! [`event_log_contract!`](crate::event_log_contract), which turns every case into one
//! `#[tokio::test]`. A case uses streams of its own and looks at nothing else, so that a log shared
//! with other cases, or with other people, serves as well as a fresh one. Cases wait for what they
//! expect, with a deadline; they never sleep.

pub mod appending;
pub mod reading;
pub mod restarting;
pub mod retrying;
mod scene;
pub mod sizes_and_names;
pub mod subscribing;

use std::{future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;

use crate::EventLog;

/// A log under test that can be closed and opened again.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Opens the log. Every call on one subject opens the same log.
    async fn open(&self) -> Arc<dyn EventLog>;

    /// Closes the log and opens it again, as a restart of the process would. Adapters that need
    /// more than dropping the only handle to close override this.
    async fn reopen(&self, log: Arc<dyn EventLog>) -> Arc<dyn EventLog> {
        drop(log);
        self.open().await
    }
}

/// One case of the suite.
pub struct Case {
    /// `group::name`; the name is a sentence.
    pub name: &'static str,
    /// Runs the case; it panics where the log does not behave.
    pub run: for<'a> fn(&'a dyn Subject) -> Running<'a>,
}

/// A case that runs.
pub type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Every case of the suite, for programs that run it outside of tests.
pub fn cases() -> Vec<Case> {
    crate::event_log_cases! { event_log_case_list! {} }
}

/// Makes one `#[tokio::test]` of every case. The expression builds a fresh [`Subject`] and may
/// `await`; the calling crate needs tokio with `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! event_log_contract {
    ($make_subject:expr) => {
        $crate::event_log_cases! { event_log_case_tests! { $make_subject } }
    };
}

/// The list of all cases, given to another macro after its own arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! event_log_cases {
    ($then:ident ! { $($given:tt)* }) => {
        $crate::$then! { $($given)*;
            appending::an_append_answers_with_the_place_of_its_last_event,
            appending::any_appends_to_a_missing_and_to_an_existing_stream,
            appending::no_stream_appends_only_to_a_missing_stream,
            appending::stream_exists_appends_only_to_an_existing_stream,
            appending::exact_appends_only_at_the_actual_last_revision,
            appending::the_events_of_one_append_stand_together_in_order,
            appending::a_refused_append_leaves_nothing_behind,
            appending::an_append_without_events_is_refused,
            appending::of_64_writers_at_the_same_revision_exactly_one_wins,
            appending::racing_writers_win_every_revision_exactly_once,
            appending::writers_of_many_streams_all_land_without_gaps,
            retrying::a_repeated_exact_append_answers_with_its_first_place,
            retrying::a_repeated_no_stream_append_answers_with_its_first_place,
            retrying::an_exact_append_of_other_ids_is_refused,
            retrying::an_exact_append_that_is_only_partly_there_is_refused,
            retrying::a_repeated_any_append_answers_with_its_first_place,
            retrying::a_repeated_stream_exists_append_answers_with_its_first_place,
            retrying::an_any_append_that_is_only_partly_there_is_refused,
            retrying::an_any_append_knows_ids_that_were_appended_at_a_revision,
            retrying::a_retry_that_races_its_original_lands_once,
            reading::a_missing_stream_reads_as_empty,
            reading::a_stream_reads_in_both_directions_from_a_revision_inclusive,
            reading::a_stream_reads_page_by_page_without_gap_or_double,
            reading::the_whole_log_reads_in_the_order_of_the_appends,
            reading::the_whole_log_reads_strictly_after_or_before_a_position,
            reading::the_whole_log_reads_page_by_page_without_gap_or_double,
            reading::a_filter_matches_prefixes_literally,
            reading::the_whole_log_shows_system_events_only_when_asked_to,
            reading::the_head_is_the_position_of_the_last_event,
            reading::the_head_is_never_a_system_events,
            sizes_and_names::data_and_metadata_come_back_byte_for_byte,
            sizes_and_names::an_event_of_exactly_the_limit_is_stored,
            sizes_and_names::an_event_one_byte_over_the_limit_is_refused,
            sizes_and_names::one_event_too_large_refuses_the_whole_append,
            sizes_and_names::hostile_stream_names_come_back_as_they_are,
            sizes_and_names::names_that_differ_slightly_are_different_streams,
            sizes_and_names::system_streams_stand_beside_the_others,
            subscribing::a_subscription_goes_through_history_to_live,
            subscribing::a_subscription_resumes_strictly_after_a_position,
            subscribing::a_subscription_with_nothing_to_tell_is_caught_up_at_once,
            subscribing::a_filtered_subscription_tells_how_far_it_looked,
            subscribing::a_filtered_subscription_delivers_only_what_passes,
            subscribing::a_subscription_delivers_system_events_only_when_asked_to,
            subscribing::a_subscription_among_running_writers_has_no_gap_and_no_double,
            subscribing::a_slow_reader_of_a_subscription_misses_nothing,
            subscribing::all_subscriptions_see_the_same_order,
            restarting::everything_acknowledged_is_there_after_a_restart,
            restarting::positions_and_revisions_go_on_after_a_restart,
            restarting::a_retry_is_recognised_after_a_restart,
            restarting::a_subscription_resumes_after_a_restart,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! event_log_case_tests {
    ($make_subject:expr; $($group:ident :: $case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let subject = $make_subject;
                $crate::contract::$group::$case(&subject).await;
            }
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! event_log_case_list {
    (; $($group:ident :: $case:ident),* $(,)?) => {
        vec![$(
            $crate::contract::Case {
                name: concat!(stringify!($group), "::", stringify!($case)),
                run: |subject| Box::pin($crate::contract::$group::$case(subject)),
            }
        ),*]
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_case_is_on_the_list() {
        let list = include_str!("contract.rs");
        let groups = [
            ("appending", include_str!("contract/appending.rs")),
            ("retrying", include_str!("contract/retrying.rs")),
            ("reading", include_str!("contract/reading.rs")),
            ("sizes_and_names", include_str!("contract/sizes_and_names.rs")),
            ("subscribing", include_str!("contract/subscribing.rs")),
            ("restarting", include_str!("contract/restarting.rs")),
        ];
        for (group, source) in groups {
            for line in source.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
                let (case, _) = line.split_once('(').expect("a function has parameters");
                assert!(list.contains(&format!("{group}::{case},")), "{group}::{case} is not run");
            }
        }
    }
}
