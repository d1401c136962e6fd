//! The login from the environment, which keeps a password out of command lines and of files that
//! others read.

use std::{env, fs, io, path::PathBuf};

use crate::{Address, AddressError};

const USER: &str = "ACCORD_EVENT_LOG_USER";
const PASSWORD: &str = "ACCORD_EVENT_LOG_PASSWORD";
const PASSWORD_FILE: &str = "ACCORD_EVENT_LOG_PASSWORD_FILE";

/// Why there is no login to take from the environment.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// It is not clear which password is meant.
    #[error("only one of {PASSWORD} and {PASSWORD_FILE} may be given")]
    TwoPasswords,
    /// There is a password or a user, and the other is missing.
    #[error("{USER} and a password ({PASSWORD} or {PASSWORD_FILE}) go together")]
    Incomplete,
    /// The file with the password cannot be read.
    #[error("the event log's password in {} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system says.
        source: io::Error,
    },
    /// The login cannot be used with this address.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl Address {
    /// The same address with the user `ACCORD_EVENT_LOG_USER` and the password
    /// `ACCORD_EVENT_LOG_PASSWORD`, or the first line of the file
    /// `ACCORD_EVENT_LOG_PASSWORD_FILE`, in place of any in the connection string. Without these
    /// the address stays as it is.
    pub fn with_login_of_environment(self) -> Result<Self, LoginError> {
        self.with_login_of(|name| env::var(name).ok())
    }

    fn with_login_of(self, read: impl Fn(&str) -> Option<String>) -> Result<Self, LoginError> {
        let given = |name| read(name).filter(|value| !value.is_empty());
        let password = match (given(PASSWORD), given(PASSWORD_FILE)) {
            (Some(_), Some(_)) => return Err(LoginError::TwoPasswords),
            (None, Some(path)) => Some(first_line(path.into())?),
            (password, None) => password,
        };
        match (given(USER), password) {
            (Some(user), Some(password)) => Ok(self.with_login(&user, &password)?),
            (None, None) => Ok(self),
            _ => Err(LoginError::Incomplete),
        }
    }
}

fn first_line(path: PathBuf) -> Result<String, LoginError> {
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().next().unwrap_or_default().to_owned()),
        Err(source) => Err(LoginError::File { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use eventstore::Credentials;

    use super::*;

    fn login(given: &[(&str, &str)]) -> Result<Option<Credentials>, LoginError> {
        let find = |name: &str| given.iter().find(|(key, _)| *key == name);
        let address = Address::parse("esdb://old:word@db").unwrap();
        let address = address.with_login_of(|name| find(name).map(|(_, value)| (*value).into()));
        address.map(|address| address.login().cloned())
    }

    #[test]
    fn user_and_password_of_the_environment_win_over_the_address() {
        let found = login(&[(USER, "ops"), (PASSWORD, "a:b@c")]).unwrap();
        assert_eq!(found, Some(Credentials::new("ops", "a:b@c")));
        assert_eq!(login(&[]).unwrap(), Some(Credentials::new("old", "word")));
    }

    #[test]
    fn a_password_file_is_read_without_its_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "secret\n").unwrap();
        let path = path.to_str().unwrap();
        let found = login(&[(USER, "ops"), (PASSWORD_FILE, path)]).unwrap();
        assert_eq!(found, Some(Credentials::new("ops", "secret")));
        let missing = login(&[(USER, "ops"), (PASSWORD_FILE, "/nowhere/at/all")]);
        assert!(matches!(missing, Err(LoginError::File { .. })));
    }

    #[test]
    fn half_a_login_and_two_passwords_are_refused() {
        assert!(matches!(login(&[(USER, "ops")]), Err(LoginError::Incomplete)));
        assert!(matches!(login(&[(PASSWORD, "x")]), Err(LoginError::Incomplete)));
        let two = login(&[(USER, "ops"), (PASSWORD, "x"), (PASSWORD_FILE, "y")]);
        assert!(matches!(two, Err(LoginError::TwoPasswords)));
    }
}
