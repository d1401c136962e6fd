//! Where the server is, and who asks. A password comes in here and is never told again: neither
//! `Debug`, nor `Display`, nor an error shows it.

use std::fmt;

use eventstore::{ClientSettings, Credentials};
use percent_encoding::percent_decode_str;

/// Schemes of the connection strings, each also with `+discover`.
const SCHEMES: [&str; 4] = ["esdb", "kurrentdb", "kurrent", "kdb"];

/// Appended to every connection string, where the last one given counts. The client waits this
/// interval even before its first attempt, and needs a second attempt to connect at all; it is
/// the link that tries again and again.
const DISCOVERY: &str = "discoveryInterval=20&maxDiscoverAttempts=3";

/// Why a text is not the address of an event log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text has no scheme of an event log.
    #[error("an event log's address starts with esdb:// or kurrentdb:// (or esdb+discover://)")]
    Scheme,
    /// The rest cannot be understood. The text itself is not repeated: it may hold a password.
    #[error("the event log's address cannot be understood: {0}")]
    Malformed(String),
    /// A user and a password go together.
    #[error("a password for the event log needs a user")]
    PasswordWithoutUser,
}

/// The address of an event log: a connection string, and the login to use there.
#[derive(Clone)]
pub struct Address {
    shown: String,
    settings: ClientSettings,
    login: Option<Credentials>,
}

impl Address {
    /// Whether a text looks like an address rather than like a directory.
    pub fn is_one(text: &str) -> bool {
        scheme_of(text).is_some()
    }

    /// Reads a connection string: `esdb://HOST:PORT`, several hosts with commas, `esdb+discover://`
    /// or `kurrentdb://`, with the parameters of the official clients (`tls=false`, `tlsCaFile`,
    /// `nodePreference`, ...). A user and a password in it are taken as [`with_login`] would, after
    /// undoing `%` escapes.
    ///
    /// [`with_login`]: Self::with_login
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let scheme = scheme_of(text).ok_or(AddressError::Scheme)?;
        let rest = &text[scheme.len() + "://".len()..];
        let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, parameters) = rest.split_at(authority_end);
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        let separator = if parameters.contains('?') { '&' } else { '?' };
        // Parameters are not shown: somebody may have put a password there, too.
        let shown = format!("{scheme}://{hosts}");
        let whole = format!("{shown}{parameters}{separator}{DISCOVERY}");
        let settings = whole.parse::<ClientSettings>();
        let settings = settings.map_err(|error| malformed(&error, text.contains('@')))?;
        let address = Self { shown, settings, login: None };
        let Some(login) = login else { return Ok(address) };
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        address.with_login(&unescape(user)?, &unescape(password)?)
    }

    /// The same address with this login in place of any other.
    pub fn with_login(self, user: &str, password: &str) -> Result<Self, AddressError> {
        if user.is_empty() {
            return Err(AddressError::PasswordWithoutUser);
        }
        let login = Credentials::new(user.to_owned(), password.to_owned());
        Ok(Self { login: Some(login), ..self })
    }

    /// Whether a login would go over the network in clear.
    pub fn tells_login_in_clear(&self) -> bool {
        let is_here = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "[::1]" | "::1");
        self.login.is_some()
            && !self.settings.is_secure_mode_enabled()
            && !self.settings.hosts().iter().all(|endpoint| is_here(&endpoint.host))
    }

    pub(crate) fn settings(&self) -> &ClientSettings {
        &self.settings
    }

    pub(crate) fn login(&self) -> Option<&Credentials> {
        self.login.as_ref()
    }

    /// The ports that are named; the nodes of a cluster usually share one.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let ports = self.settings.hosts().iter().map(|endpoint| u16::try_from(endpoint.port));
        ports.filter_map(Result::ok).collect()
    }

    /// Whether the client chooses among several nodes.
    pub(crate) fn is_cluster(&self) -> bool {
        self.settings.is_dns_discovery_enabled() || self.settings.hosts().len() > 1
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({})", self.shown)
    }
}

fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let bare = scheme.strip_suffix("+discover").unwrap_or(scheme);
    SCHEMES.contains(&bare).then_some(scheme)
}

/// The client repeats what it was given; that is kept only where no password can be in it.
fn malformed(error: &eventstore::ClientSettingsParseError, may_hold_login: bool) -> AddressError {
    let why = match error.error() {
        Some(why) => why.to_string(),
        None if may_hold_login => "check its hosts, ports and parameters".to_owned(),
        None => error.message().to_owned(),
    };
    AddressError::Malformed(why)
}

fn unescape(text: &str) -> Result<String, AddressError> {
    let unescaped = percent_decode_str(text).decode_utf8();
    let unescaped = unescaped
        .map_err(|_| AddressError::Malformed("its login is not UTF-8 after unescaping".into()))?;
    Ok(unescaped.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "geh#eim";

    fn shown_everywhere(address: &Address) -> String {
        format!("{address} {address:?}")
    }

    #[test]
    fn a_password_in_the_address_is_used_and_never_shown() {
        let address = Address::parse("esdb://ops:geh%23eim@db.example:2113?tls=false").unwrap();
        assert_eq!(address.login(), Some(&Credentials::new("ops", SECRET)));
        assert_eq!(address.to_string(), "esdb://db.example:2113");
        assert!(!shown_everywhere(&address).contains("geh"));
        assert!(!format!("{:?}", address.settings()).contains("geh"));
    }

    #[test]
    fn a_password_that_was_put_among_the_parameters_is_not_shown_either() {
        let address = Address::parse("esdb://db.example:2113?tls=false&password=geheim").unwrap();
        assert!(!shown_everywhere(&address).contains("geh"));
    }

    #[test]
    fn a_malformed_address_does_not_tell_the_password_either() {
        for text in [
            "esdb://ops:geheim@db:port",
            "esdb://ops:ge/heim@db:2113",
            "esdb://ops:ge,heim@db:1,other:x",
            "esdb://ops:geheim@db:2113?tls=geheim",
            "esdb://ops:geheim@",
            "postgres://ops:geheim@db:2113",
            "esdb://ops:ge%ffheim@db:2113",
        ] {
            let refused = Address::parse(text).unwrap_err();
            assert!(!format!("{refused} {refused:?}").contains("heim"), "{text}: {refused:?}");
        }
    }

    #[test]
    fn a_separate_login_wins_over_the_one_in_the_address() {
        let address = Address::parse("esdb://ops:old@db").unwrap();
        let address = address.with_login("accord", SECRET).unwrap();
        assert_eq!(address.login(), Some(&Credentials::new("accord", SECRET)));
        assert!(!shown_everywhere(&address).contains("geh"));
        assert_eq!(
            Address::parse("esdb://db").unwrap().with_login("", "x").unwrap_err(),
            AddressError::PasswordWithoutUser
        );
    }

    #[test]
    fn several_hosts_and_discovery_make_a_cluster() {
        let of = |text| Address::parse(text).unwrap();
        let three = of("kurrentdb://a:1,b:2,c:3?tls=false");
        assert!(three.is_cluster());
        assert_eq!(three.settings().hosts().len(), 3);
        assert!(of("esdb+discover://cluster.example:2113").is_cluster());
        let login = of("esdb://ops:geheim@a:1,b:2");
        assert!(login.is_cluster() && login.login().is_some());
        assert!(!of("esdb://a:1").is_cluster());
    }

    #[test]
    fn tls_is_on_unless_it_is_switched_off() {
        assert!(Address::parse("esdb://db").unwrap().settings().is_secure_mode_enabled());
        let clear = Address::parse("esdb://u:p@db?tls=false").unwrap();
        assert!(clear.tells_login_in_clear());
        assert!(!Address::parse("esdb://u:p@db").unwrap().tells_login_in_clear());
        assert!(!Address::parse("esdb://u:p@localhost?tls=false").unwrap().tells_login_in_clear());
    }

    #[test]
    fn the_clients_attempts_are_the_links_business() {
        let address = Address::parse("esdb://db?maxDiscoverAttempts=1").unwrap();
        assert_eq!(address.settings().max_discover_attempts(), 3);
    }

    #[test]
    fn a_directory_is_not_an_address() {
        assert!(Address::is_one("esdb://db") && Address::is_one("kurrentdb+discover://db"));
        assert!(!Address::is_one("/var/lib/accord") && !Address::is_one("https://db"));
    }
}
