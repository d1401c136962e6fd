//! The command line: names, arguments and the texts of `--help`.

mod event_log;

use std::num::NonZeroU32;
use std::path::PathBuf;

use accord_domain::{Day, PartnerId, ProgramId, Role, Timestamp};
use accord_eventlog::StreamName;
use clap::{Args, Parser, Subcommand, builder::PossibleValuesParser, builder::TypedValueParser};

use crate::chosen_log::LogUrl;
use crate::durations::{Seconds, parse_seconds};

pub(crate) use event_log::{AccessFlags, CopyArgs, EventLogArgs, EventLogCommand};

/// Runs software vendors' partner programs: deals, levels, certificates, orders and licences.
///
/// New here? `accord demo` makes a complete example and serves it.
#[derive(Debug, Parser)]
#[command(name = "accord", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to log to standard error: `error`, `warn`, `info`, `debug`, or a filter such as
    /// `info,accord_app=debug`.
    #[arg(
        long,
        global = true,
        env = "ACCORD_LOG",
        default_value = "info",
        value_name = "FILTER",
        help_heading = "Logging"
    )]
    pub(crate) log: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Each is documented at its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeArgs),
    EventLog(EventLogArgs),
    Demo(DemoArgs),
    Replay(ReplayArgs),
    Rebuild(RebuildArgs),
    Verify(VerifyArgs),
    Token(TokenArgs),
    Rulebook(RulebookArgs),
    /// Print the OpenAPI document.
    Openapi,
}

/// Serve the HTTP API from a data directory.
///
/// Prints one line, `listening on http://HOST:PORT`, on standard output once it is ready. A first
/// SIGTERM or Ctrl-C lets running requests end and exits with 0; a second one exits at once.
///
/// Every setting may also stand in the environment (`ACCORD_...`) or in the file `accord.toml` of
/// the data directory, in this order of precedence. The file's names are those of the flags with
/// `_`: `listen = "0.0.0.0:8080"`.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServeArgs {
    /// The data directory; made where it is missing
    #[arg(long, env = "ACCORD_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Read settings from this file instead of `accord.toml` in the data directory
    #[arg(long, env = "ACCORD_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: ServeFlags,
}

// Settings that flags and environment may give. (A doc comment here would end up in `--help`.)
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct ServeFlags {
    /// Where to listen; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "ACCORD_LISTEN", value_name = "HOST:PORT")]
    pub(crate) listen: Option<String>,
    #[command(flatten)]
    pub(crate) event_log: LogUrlFlag,
    /// Connections at a time; more wait to be accepted [default: 4096]
    #[arg(long, env = "ACCORD_CONNECTIONS_MAX", value_name = "COUNT")]
    pub(crate) connections_max: Option<usize>,
    /// Event streams (`changes`) at a time [default: 256]
    #[arg(long, env = "ACCORD_CHANGE_STREAMS_MAX", value_name = "COUNT")]
    pub(crate) change_streams_max: Option<usize>,
    /// Requests per second of one caller, that is of one token's subject; more are answered with
    /// 429 [default: as many as the service can take]
    #[arg(long, env = "ACCORD_REQUESTS_PER_SECOND_MAX", value_name = "COUNT")]
    pub(crate) requests_per_second_max: Option<NonZeroU32>,
    /// Time for a request's headers to arrive, also between two requests [default: 30s]
    #[arg(long, env = "ACCORD_HEADER_TIME_MAX", value_name = "TIME", value_parser = parse_seconds)]
    pub(crate) header_time_max: Option<Seconds>,
    /// Time for running requests to end after a stop [default: 10s]
    #[arg(long, env = "ACCORD_DRAIN_TIME_MAX", value_name = "TIME", value_parser = parse_seconds)]
    pub(crate) drain_time_max: Option<Seconds>,
    /// Also serve the event log to EventStoreDB and KurrentDB clients here, for reading only
    #[arg(long, env = "ACCORD_EVENT_LOG_LISTEN", value_name = "HOST:PORT")]
    pub(crate) event_log_listen: Option<String>,
    #[command(flatten)]
    pub(crate) event_log_access: AccessFlags,
}

/// Make a demo program history and serve it.
///
/// Publishes the shipped rulebooks, then lives through the years day by day: every event comes from
/// a real command, under a simulated clock. At the end it prints the addresses, a token per role
/// and requests to try.
#[derive(Debug, Clone, Args)]
pub(crate) struct DemoArgs {
    /// Where to put the demo: a new or empty directory; an earlier demo in it is served again
    /// [default: ./accord-demo]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one
    #[arg(long, env = "ACCORD_LISTEN", value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// How many partners, over all programs
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub(crate) partners: u32,
    /// How many years of history
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(crate) years: u32,
    /// The same seed on the same day makes the same history
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Make the history and stop
    #[arg(long)]
    pub(crate) no_serve: bool,
    /// Make a new demo in place of an earlier one; anything else is never replaced
    #[arg(long)]
    pub(crate) force: bool,
}

/// Print events as NDJSON, or a partner's or deal's state as of a time.
///
/// Oldest first, in the order of the log; all given filters must match. Works while a server runs
/// on the same data directory. Persons' data stays sealed.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The data directory; not needed with --event-log
    #[arg(long, env = "ACCORD_DATA", value_name = "DIR", required_unless_present = "url")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) event_log: LogUrlFlag,
    /// Events of this program
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) program: Option<ProgramId>,
    /// Events of this partner's history
    #[arg(long, value_name = "ID", value_parser = parse_partner)]
    pub(crate) partner: Option<PartnerId>,
    /// Events of this stream, for example `deal-0192f3a4-...`
    #[arg(long, value_name = "STREAM")]
    pub(crate) stream: Option<StreamName>,
    /// Events of this type, for example `DealProtected`
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Recorded at this time or later: `2026-01-31` or `2026-01-31T12:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) from: Option<Timestamp>,
    /// Recorded before this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) to: Option<Timestamp>,
    /// Print no events but the state of `--stream` (a partner or a deal) as of this time
    #[arg(
        long,
        value_name = "TIME",
        value_parser = parse_time,
        requires = "stream",
        conflicts_with_all = ["from", "to", "kind"]
    )]
    pub(crate) as_of: Option<Timestamp>,
}

/// Build all read models anew from the event log.
///
/// Builds beside the live tables and swaps at the end; a running server goes on with the new ones.
/// Ctrl-C stops it, and the next run goes on where it stopped.
#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    #[command(flatten)]
    pub(crate) data: DataArg,
    #[command(flatten)]
    pub(crate) event_log: LogUrlFlag,
}

/// Fold the log afresh and compare it with the live read models, table by table.
///
/// Also checks the chain of hashes of every stream. Exits with 1 on any difference.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) data: DataArg,
    #[command(flatten)]
    pub(crate) event_log: LogUrlFlag,
}

/// Print a bearer token for the HTTP API.
///
/// Anyone who can read the data directory can make one: keep it to yourself.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(flatten)]
    pub(crate) data: DataArg,
    /// The program that the token is for
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) program: ProgramId,
    /// A role; give it several times for several roles
    #[arg(long, value_name = "ROLE", required = true, value_parser = role_parser())]
    pub(crate) role: Vec<Role>,
    /// The partner that the bearer acts for; needed by the partners' own roles
    #[arg(long, value_name = "ID", value_parser = parse_partner)]
    pub(crate) partner: Option<PartnerId>,
    /// An opaque identity; never a name or an e-mail address, because every event keeps it in clear
    #[arg(long, value_name = "SUBJECT")]
    pub(crate) subject: Option<String>,
    /// The bearer's name, for people to read; stored encrypted [default: the role]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How long the token lives: `15m`, `1h`, `30d`
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = parse_seconds)]
    pub(crate) ttl: Seconds,
}

/// Work with rulebook files.
#[derive(Debug, Args)]
pub(crate) struct RulebookArgs {
    #[command(subcommand)]
    pub(crate) command: RulebookCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulebookCommand {
    /// Check a rulebook file (TOML, or JSON by its ending) and name every mistake with its place
    Check {
        /// The rulebook to check, for example `ops/programs/quazzar.toml`
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

// A log elsewhere. Taken without a value parser that could fail, and hidden in `--help`: a
// connection string may hold a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct LogUrlFlag {
    /// The event log's server, in place of the log in the data directory: `esdb://HOST:2113` or
    /// `kurrentdb://`, several hosts with commas, or `esdb+discover://`. User and password come
    /// from ACCORD_EVENT_LOG_USER and ACCORD_EVENT_LOG_PASSWORD (or the file
    /// ACCORD_EVENT_LOG_PASSWORD_FILE)
    #[arg(
        long = "event-log",
        env = "ACCORD_EVENT_LOG",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) url: Option<LogUrl>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DataArg {
    /// The data directory
    #[arg(long = "data", env = "ACCORD_DATA", value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

/// Roles that a token may carry; `system` is Accord itself.
const ROLES: [&str; 11] = [
    "program-admin",
    "channel-manager",
    "channel-director",
    "enablement",
    "finance",
    "marketing",
    "compliance",
    "auditor",
    "reporting",
    "partner-admin",
    "partner-user",
];

/// A role as it stands in tokens and on the command line.
pub(crate) fn role_name(role: Role) -> String {
    match serde_json::to_value(role) {
        Ok(serde_json::Value::String(name)) => name,
        _ => format!("{role:?}"),
    }
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(ROLES)
        .try_map(|name| serde_json::from_value::<Role>(serde_json::Value::String(name)))
}

fn parse_partner(text: &str) -> Result<PartnerId, String> {
    let expected = "expected a partner's id, such as 0192f3a4-5b6c-7d8e-9f01-23456789abcd";
    text.parse().map_err(|_| expected.to_owned())
}

/// A day stands for its first moment, UTC.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(day) = text.parse::<Day>() {
        return Ok(day.0.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    text.parse().map_err(|_| "expected 2026-01-31 or 2026-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_role_of_the_list_is_a_role() {
        for role in ROLES {
            let args = ["accord", "token", "--data", "d", "--program", "p", "--role", role];
            assert!(Cli::try_parse_from(args).is_ok(), "{role}");
        }
    }

    #[test]
    fn an_id_that_is_none_is_told_with_its_argument_and_an_example() {
        let args = ["accord", "replay", "--data", "d", "--partner", "nobody"];
        let complaint = Cli::try_parse_from(args).unwrap_err().to_string();
        assert!(complaint.contains("--partner <ID>"), "{complaint}");
        assert!(complaint.contains("expected a partner's id, such as 0192"), "{complaint}");
    }

    #[test]
    fn a_day_stands_for_its_first_moment() {
        assert_eq!(parse_time("2026-01-31"), parse_time("2026-01-31T00:00:00Z"));
        assert!(parse_time("yesterday").is_err());
    }
}
