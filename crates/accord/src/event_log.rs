//! `accord event-log`: an event log alone, for clients that speak the EventStoreDB protocol; and
//! what `accord serve` needs to let such clients read.

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use accord_eventlog_wire::{Credentials, Listener, Mode, Setup, Tls};
use anyhow::{Context, bail, ensure};
use tokio::net::TcpListener;

use crate::cli::{AccessFlags, EventLogArgs, EventLogCommand};
use crate::copy;
use crate::serve::bind;
use crate::signals::stop_signal;
use crate::wiring::open_log;

/// A password never stands on the command line, where every user of the machine can see it.
const PASSWORD_VARIABLE: &str = "ACCORD_EVENT_LOG_LISTEN_PASSWORD";

pub(crate) async fn run(args: EventLogArgs) -> anyhow::Result<ExitCode> {
    if let Some(EventLogCommand::Copy(args)) = args.command {
        return copy::run(args).await;
    }
    let data = args.data.context("--data is missing")?;
    let stop = stop_signal()?;
    let gate = Gate::open(&args.listen, &args.access, Mode::Full).await?;
    let url = gate.url();
    let log = Arc::new(open_log(&data)?);
    let listener = Listener::new(gate.listener, log.clone(), gate.setup)?;
    announce(&url)?;
    listener.serve(stop).await;
    log.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The one line that scripts wait for. Connections are accepted from the moment of binding.
fn announce(url: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "listening on {url}")?;
    Ok(out.flush()?)
}

/// An address taken, and who may come in there.
pub(crate) struct Gate {
    pub(crate) listener: TcpListener,
    pub(crate) setup: Setup,
    address: SocketAddr,
}

impl Gate {
    /// Refuses what would let strangers in before anything else happens.
    pub(crate) async fn open(
        listen: &str,
        access: &AccessFlags,
        mode: Mode,
    ) -> anyhow::Result<Self> {
        let setup = Setup {
            mode,
            tls: tls(access)?,
            credentials: credentials(access)?,
            ..Setup::default()
        };
        let (listener, address) = bind(listen).await?;
        setup.check(address).context("the event log cannot be served so")?;
        Ok(Self { listener, setup, address })
    }

    /// What clients are to be given, but for user and password.
    pub(crate) fn url(&self) -> String {
        format!("esdb://{}?tls={}", self.address, self.setup.tls.is_some())
    }
}

fn tls(access: &AccessFlags) -> anyhow::Result<Option<Tls>> {
    let (certificates, key) =
        match (&access.event_log_listen_tls_cert, &access.event_log_listen_tls_key) {
            (Some(certificates), Some(key)) => (certificates, key),
            (None, None) => return Ok(None),
            _ => bail!("a TLS certificate needs its key, and a key its certificate"),
        };
    Ok(Some(Tls::from_pem(&read(certificates)?, &read(key)?)?))
}

fn credentials(access: &AccessFlags) -> anyhow::Result<Option<Credentials>> {
    let Some(user) = &access.event_log_listen_user else {
        ensure!(access.event_log_listen_password_file.is_none(), "a password needs a user");
        return Ok(None);
    };
    ensure!(!user.is_empty() && !user.contains(':'), "a user's name has no `:` and is not empty");
    let password = password(access.event_log_listen_password_file.as_ref())?;
    ensure!(!password.is_empty(), "the password is empty");
    Ok(Some(Credentials::new(user, &password)))
}

fn password(file: Option<&PathBuf>) -> anyhow::Result<String> {
    if let Some(file) = file {
        let text = String::from_utf8(read(file)?).context("the password is not UTF-8")?;
        return Ok(text.lines().next().unwrap_or_default().to_owned());
    }
    std::env::var(PASSWORD_VARIABLE)
        .with_context(|| format!("give the password in {PASSWORD_VARIABLE} or in a file"))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(listen: &str, access: &AccessFlags) -> String {
        let gate = Gate::open(listen, access, Mode::ReadOnly).await;
        format!("{:#}", gate.err().expect("the setup is refused"))
    }

    #[tokio::test]
    async fn an_address_that_others_can_reach_needs_encryption_and_a_password() {
        let said = refused("0.0.0.0:0", &AccessFlags::default()).await;
        assert!(said.contains("TLS"), "{said}");
        let gate = Gate::open("127.0.0.1:0", &AccessFlags::default(), Mode::ReadOnly).await;
        assert!(gate.unwrap().url().ends_with("?tls=false"));
    }

    #[tokio::test]
    async fn a_password_without_encryption_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "secret\n").unwrap();
        let access = AccessFlags {
            event_log_listen_user: Some("reader".to_owned()),
            event_log_listen_password_file: Some(file),
            ..AccessFlags::default()
        };
        assert_eq!(password(access.event_log_listen_password_file.as_ref()).unwrap(), "secret");
        let said = refused("127.0.0.1:0", &access).await;
        assert!(said.contains("clients drop them"), "{said}");
    }

    #[tokio::test]
    async fn half_a_pair_is_refused() {
        let cert =
            AccessFlags { event_log_listen_tls_cert: Some("c".into()), ..AccessFlags::default() };
        assert!(refused("127.0.0.1:0", &cert).await.contains("key"));
        let password = AccessFlags {
            event_log_listen_password_file: Some("p".into()),
            ..AccessFlags::default()
        };
        assert!(refused("127.0.0.1:0", &password).await.contains("user"));
    }
}
