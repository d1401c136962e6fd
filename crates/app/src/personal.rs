//! Sealing and opening of persons' data under their own keys.

use std::sync::Arc;

use accord_domain::personal::{ErasedPerson, PersonDetails, SealedPerson};
use accord_domain::{PersonId, PersonalData};
use accord_eventlog::{KeyStore, KeyStoreError};
use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};

const NONCE_BYTES: usize = 24;

/// Seals and opens persons' data with the keys of a key store.
#[derive(Clone)]
pub struct PersonalVault {
    keys: Arc<dyn KeyStore>,
}

impl PersonalVault {
    pub fn new(keys: Arc<dyn KeyStore>) -> Self {
        Self { keys }
    }

    /// Seals clear data in place; the person's key is made where there is none. May touch the disk.
    pub fn seal(&self, data: &mut PersonalData) -> Result<(), KeyStoreError> {
        if let PersonalData::Clear(details) = data {
            *data = PersonalData::Sealed(self.seal_details(details)?);
        }
        Ok(())
    }

    /// The sealed form of a person's details: random nonce, then ciphertext, in base64. The
    /// person's id is authenticated with it, so that sealed data cannot be moved to another person.
    pub fn seal_details(&self, details: &PersonDetails) -> Result<SealedPerson, KeyStoreError> {
        let key = self.keys.key_or_create(details.person.0)?;
        let clear = serde_json::to_vec(details).map_err(|error| broken(&error.to_string()))?;
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| broken(&error.to_string()))?;
        let payload = Payload { msg: &clear, aad: details.person.0.as_bytes() };
        let sealed = XChaCha20Poly1305::new(&key.into())
            .encrypt(&nonce.into(), payload)
            .map_err(|_| broken("sealing failed"))?;
        let sealed = STANDARD.encode([&nonce[..], &sealed].concat());
        Ok(SealedPerson { person: details.person, sealed })
    }

    /// Opens sealed data in place; `Erased` once the person's key is gone.
    pub fn open(&self, data: &mut PersonalData) -> Result<(), KeyStoreError> {
        if let PersonalData::Sealed(sealed) = data {
            *data = match self.open_details(sealed)? {
                Some(details) => PersonalData::Clear(details),
                None => PersonalData::Erased(ErasedPerson { person: sealed.person, erased: true }),
            };
        }
        Ok(())
    }

    /// The details inside; `None` once the person's key is gone.
    pub fn open_details(
        &self,
        sealed: &SealedPerson,
    ) -> Result<Option<PersonDetails>, KeyStoreError> {
        let Some(key) = self.keys.key(sealed.person.0)? else { return Ok(None) };
        let bytes = STANDARD.decode(&sealed.sealed).map_err(|_| broken("not base64"))?;
        let (nonce, ciphertext) =
            bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| broken("too short"))?;
        let payload = Payload { msg: ciphertext, aad: sealed.person.0.as_bytes() };
        let clear = XChaCha20Poly1305::new(&key.into())
            .decrypt(&(*nonce).into(), payload)
            .map_err(|_| broken("sealed data does not open with its person's key"))?;
        serde_json::from_slice(&clear).map(Some).map_err(|error| broken(&error.to_string()))
    }

    /// Destroys a person's key: from now on the person reads as erased, everywhere.
    pub fn erase(&self, person: PersonId) -> Result<(), KeyStoreError> {
        self.keys.erase(person.0)
    }
}

fn broken(message: &str) -> KeyStoreError {
    KeyStoreError::Unavailable(message.to_owned().into())
}
