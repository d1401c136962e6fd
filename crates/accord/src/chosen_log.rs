//! Which event log a command works on: the one in its data directory, or one over the network.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use accord_eventlog::EventLog;
use accord_eventlog_kurrentdb::{Address, KurrentLog};
use accord_eventlog_sqlite::SqliteEventLog;
use anyhow::{Context, bail};
use serde::Deserialize;

use crate::own_log::OwnLog;
use crate::settings;
use crate::wiring::{LOG_FILE, existing, open_log};

/// A connection string as it was given. It may hold a password: it is read late, so that no message
/// about arguments or settings repeats it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct LogUrl(String);

impl LogUrl {
    /// The address, with the login of the environment where there is one.
    pub(crate) fn address(&self) -> anyhow::Result<Address> {
        Ok(Address::parse(&self.0)?.with_login_of_environment()?)
    }
}

impl FromStr for LogUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for LogUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Address::parse(&self.0) {
            Ok(address) => write!(formatter, "LogUrl({address})"),
            Err(_) => formatter.write_str("LogUrl(not an address)"),
        }
    }
}

/// The log of a command that only reads: at the given address, else at the one in the settings of
/// the data directory, else in the data directory itself, also beside a running server.
pub(crate) fn open_to_read(
    data: Option<&Path>,
    url: Option<&LogUrl>,
) -> anyhow::Result<Arc<dyn EventLog>> {
    let settled = match (url, data) {
        (None, Some(data)) => settings::event_log_of(existing(data)?)?,
        _ => None,
    };
    match (url.or(settled.as_ref()), data) {
        (Some(url), _) => Ok(Arc::new(KurrentLog::new(url.address()?))),
        (None, Some(data)) => open_embedded_to_read(data),
        (None, None) => bail!("either --data or --event-log must say where the event log is"),
    }
}

/// The embedded log of an existing data directory, for reading.
pub(crate) fn open_embedded_to_read(data: &Path) -> anyhow::Result<Arc<dyn EventLog>> {
    let path = existing(data)?.join(LOG_FILE);
    if !path.is_file() {
        bail!("there is no event log in {}", data.display());
    }
    let log = SqliteEventLog::open_read_only(&path)
        .with_context(|| format!("cannot read the event log in {}", data.display()))?;
    Ok(Arc::new(log))
}

/// Where a log is: in a data directory, or at an address. Whatever has a scheme is an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogPlace {
    Directory(PathBuf),
    Server(LogUrl),
}

impl FromStr for LogPlace {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.contains("://") {
            true => Self::Server(LogUrl(text.to_owned())),
            false => Self::Directory(text.into()),
        })
    }
}

impl LogPlace {
    /// The log there, for reading.
    pub(crate) fn open_to_read(&self) -> anyhow::Result<Arc<dyn EventLog>> {
        match self {
            Self::Directory(data) => open_embedded_to_read(data),
            Self::Server(url) => Ok(Arc::new(KurrentLog::new(url.address()?))),
        }
    }

    /// The log there, for appending; a data directory is made where it is missing.
    pub(crate) fn open_to_write(&self) -> anyhow::Result<OpenLog> {
        match self {
            Self::Directory(data) => OpenLog::embedded(data),
            Self::Server(url) => Ok(OpenLog::at(url.address()?)),
        }
    }
}

/// A log open for appending, wherever it is.
pub(crate) struct OpenLog {
    pub(crate) log: Arc<dyn EventLog>,
    /// The log where it is the embedded one, which must be closed.
    embedded: Option<Arc<SqliteEventLog>>,
}

impl OpenLog {
    pub(crate) fn embedded(data: &Path) -> anyhow::Result<Self> {
        let embedded = Arc::new(open_log(data)?);
        Ok(Self { log: embedded.clone(), embedded: Some(embedded) })
    }

    pub(crate) fn at(address: Address) -> Self {
        Self { log: Arc::new(KurrentLog::new(address)), embedded: None }
    }

    /// The same log, refused where it is not the one that the data directory belongs to.
    pub(crate) fn kept_to(self, data: &Path) -> Self {
        Self { log: Arc::new(OwnLog::new(self.log, data)), ..self }
    }

    pub(crate) fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// Closes an embedded log; a server's connections end when nobody uses them any more.
    pub(crate) async fn close(self) {
        if let Some(embedded) = self.embedded {
            embedded.close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_neither_shown_nor_in_an_error() {
        for text in ["esdb://ops:geheim@db:2113", "esdb://ops:geheim@db:port", "ops:geheim@db"] {
            let url: LogUrl = text.parse().unwrap();
            let told = format!("{url:?} {:?}", url.address().map(|address| address.to_string()));
            assert!(!told.contains("geheim"), "{told}");
        }
    }

    #[test]
    fn the_settings_of_a_data_directory_say_where_its_log_is() {
        let folder = tempfile::tempdir().unwrap();
        assert!(open_to_read(Some(folder.path()), None).is_err());
        let text = "event_log = \"esdb://localhost:1?tls=false\"";
        std::fs::write(folder.path().join("accord.toml"), text).unwrap();
        assert!(open_to_read(Some(folder.path()), None).is_ok());
    }
}
