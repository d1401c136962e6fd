//! Arguments of what speaks the EventStoreDB protocol.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::chosen_log::LogPlace;

/// Serve an event log alone, to EventStoreDB and KurrentDB clients.
///
/// A small server for tests and other applications: clients append, read, subscribe, delete. Prints
/// one line, `listening on esdb://HOST:PORT?tls=false`, on standard output once it is ready.
/// SIGTERM or Ctrl-C lets running calls end and exits with 0.
///
/// Do not use it on the data directory of a program that is being served: Accord's own rules would
/// not hold for what clients append. `accord serve --event-log-listen` lets clients read there.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct EventLogArgs {
    #[command(subcommand)]
    pub(crate) command: Option<EventLogCommand>,
    /// The data directory; made where it is missing
    #[arg(long, env = "ACCORD_DATA", value_name = "DIR", required = true)]
    pub(crate) data: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one
    #[arg(
        long,
        env = "ACCORD_EVENT_LOG_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:2113"
    )]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) access: AccessFlags,
}

/// Each is documented at its arguments.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum EventLogCommand {
    Copy(CopyArgs),
}

/// Copy an event log into another one, and prove that both agree.
///
/// A log is a data directory or an address (`esdb://HOST:2113`, see `accord serve --help`). Ids,
/// order, stream revisions, data and metadata stay as they are; the target gives positions of its
/// own, so that read models must be built anew over it: delete `views`, `policies.position` and
/// `log.identity` in the data directory that is to serve it.
///
/// The target must be empty or hold a part of the same copy: what was interrupted goes on. Copies
/// from a running server hold what was there at the beginning. Exits with 1 unless both agree.
#[derive(Debug, Clone, Args)]
pub(crate) struct CopyArgs {
    /// The log to copy
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) from: LogPlace,
    /// Where to copy it; a data directory is made where it is missing
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) to: LogPlace,
}

// Who may attach to the event log, and how. (A doc comment here would end up in `--help`.)
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct AccessFlags {
    /// TLS certificates for event log clients, the server's own first (PEM)
    #[arg(long, env = "ACCORD_EVENT_LOG_LISTEN_TLS_CERT", value_name = "FILE")]
    pub(crate) event_log_listen_tls_cert: Option<PathBuf>,
    /// The private key of the first certificate (PEM)
    #[arg(long, env = "ACCORD_EVENT_LOG_LISTEN_TLS_KEY", value_name = "FILE")]
    pub(crate) event_log_listen_tls_key: Option<PathBuf>,
    /// The user whom event log clients must name; needs TLS, and a password from
    /// `ACCORD_EVENT_LOG_LISTEN_PASSWORD` in the environment or from a file
    #[arg(long, env = "ACCORD_EVENT_LOG_LISTEN_USER", value_name = "NAME")]
    pub(crate) event_log_listen_user: Option<String>,
    /// A file with the user's password in its first line
    #[arg(long, env = "ACCORD_EVENT_LOG_LISTEN_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) event_log_listen_password_file: Option<PathBuf>,
}
