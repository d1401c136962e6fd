//! Settings of a server: flags, then environment (both by the command line), then `accord.toml`.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use accord_http::Limits;
use anyhow::{Context, anyhow};
use serde::Deserialize;

use crate::chosen_log::LogUrl;
use crate::cli::{AccessFlags, ServeArgs, ServeFlags};
use crate::durations::Seconds;

const FILE_NAME: &str = "accord.toml";
const LISTEN_DEFAULT: &str = "127.0.0.1:8080";

/// What a server runs with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) listen: String,
    /// Where the event log is; `None`: in the data directory.
    pub(crate) event_log: Option<LogUrl>,
    pub(crate) limits: Limits,
    /// Where event log clients may attach; `None`: nowhere.
    pub(crate) event_log_listen: Option<String>,
    pub(crate) event_log_access: AccessFlags,
}

/// `accord.toml`. A name that is none of these is refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    event_log: Option<LogUrl>,
    connections_max: Option<usize>,
    change_streams_max: Option<usize>,
    requests_per_second_max: Option<NonZeroU32>,
    header_time_max: Option<Seconds>,
    drain_time_max: Option<Seconds>,
    event_log_listen: Option<String>,
    event_log_listen_tls_cert: Option<PathBuf>,
    event_log_listen_tls_key: Option<PathBuf>,
    event_log_listen_user: Option<String>,
    event_log_listen_password_file: Option<PathBuf>,
}

impl Settings {
    /// The settings of a server on its data directory.
    pub(crate) fn load(args: &ServeArgs) -> anyhow::Result<Self> {
        let file = match &args.config {
            Some(path) => read(path)?,
            None => read_in(&args.data)?,
        };
        Ok(Self::merge(&args.settings, file))
    }

    fn merge(flags: &ServeFlags, file: File) -> Self {
        let default = Limits::default();
        let time = |flag: Option<Seconds>, file: Option<Seconds>, default| {
            flag.or(file).map_or(default, Seconds::duration)
        };
        let listen = flags.listen.clone().or(file.listen);
        let access = flags.event_log_access.clone();
        Self {
            event_log_listen: flags.event_log_listen.clone().or(file.event_log_listen),
            event_log_access: AccessFlags {
                event_log_listen_tls_cert: access
                    .event_log_listen_tls_cert
                    .or(file.event_log_listen_tls_cert),
                event_log_listen_tls_key: access
                    .event_log_listen_tls_key
                    .or(file.event_log_listen_tls_key),
                event_log_listen_user: access.event_log_listen_user.or(file.event_log_listen_user),
                event_log_listen_password_file: access
                    .event_log_listen_password_file
                    .or(file.event_log_listen_password_file),
            },
            listen: listen.unwrap_or_else(|| LISTEN_DEFAULT.to_owned()),
            event_log: flags.event_log.url.clone().or(file.event_log),
            limits: Limits {
                connections_max: flags
                    .connections_max
                    .or(file.connections_max)
                    .unwrap_or(default.connections_max),
                change_streams_max: flags
                    .change_streams_max
                    .or(file.change_streams_max)
                    .unwrap_or(default.change_streams_max),
                requests_per_second_max: flags
                    .requests_per_second_max
                    .or(file.requests_per_second_max),
                header_time_max: time(
                    flags.header_time_max,
                    file.header_time_max,
                    default.header_time_max,
                ),
                drain_time_max: time(
                    flags.drain_time_max,
                    file.drain_time_max,
                    default.drain_time_max,
                ),
            },
        }
    }
}

/// Where the settings in a data directory say that the event log is.
pub(crate) fn event_log_of(data: &Path) -> anyhow::Result<Option<LogUrl>> {
    Ok(read_in(data)?.event_log)
}

fn read_in(data: &Path) -> anyhow::Result<File> {
    let path = data.join(FILE_NAME);
    if path.exists() { read(&path) } else { Ok(File::default()) }
}

fn read(path: &Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the settings in {}", path.display()))?;
    // The parser's own message shows the line, and a line may hold a password.
    let parsed: Result<File, toml::de::Error> = toml::from_str(&text);
    parsed.map_err(|error| {
        anyhow!("{} has a mistake{}: {}", path.display(), line_of(&error, &text), error.message())
    })
}

fn line_of(error: &toml::de::Error, text: &str) -> String {
    let line = |at: usize| 1 + text[..at].matches('\n').count();
    error.span().map_or_else(String::new, |span| format!(" in line {}", line(span.start)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn args(folder: &Path, flags: ServeFlags) -> ServeArgs {
        ServeArgs { data: folder.to_owned(), config: None, settings: flags }
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let text = "listen = \"0.0.0.0:1\"\nconnections_max = 7\nheader_time_max = \"2m\"";
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let flags = ServeFlags { listen: Some("[::1]:2".into()), ..ServeFlags::default() };
        let settings = Settings::load(&args(folder.path(), flags)).unwrap();
        assert_eq!(settings.listen, "[::1]:2");
        assert_eq!(settings.limits.connections_max, 7);
        assert_eq!(settings.limits.header_time_max, Duration::from_secs(120));
        assert_eq!(settings.limits.drain_time_max, Limits::default().drain_time_max);
    }

    #[test]
    fn an_unknown_name_in_the_file_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), "lisen = \"x\"").unwrap();
        let refused = Settings::load(&args(folder.path(), ServeFlags::default())).unwrap_err();
        assert!(format!("{refused:#}").contains("lisen"), "{refused:#}");
    }

    #[test]
    fn a_mistake_beside_a_password_is_told_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let text = "listen = \"x\"\nevent_log = \"esdb://ops:geheim@db\" tls";
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let refused = Settings::load(&args(folder.path(), ServeFlags::default())).unwrap_err();
        let told = format!("{refused:#} {refused:?}");
        assert!(told.contains("line 2") && !told.contains("geheim"), "{told}");
    }

    #[test]
    fn a_named_settings_file_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let mut args = args(folder.path(), ServeFlags::default());
        args.config = Some(folder.path().join("other.toml"));
        assert!(Settings::load(&args).is_err());
    }
}
