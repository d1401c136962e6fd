//! Tokens: JWT signed with EdDSA by the built-in issuer, verified once and remembered.

use std::{fs, io::Write, path::Path, sync::Arc, time::SystemTime};

use accord_domain::{PartnerId, ProgramId, Role};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey, spki::der::pem::LineEnding};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const ISSUER: &str = "accord";
const AUDIENCE: &str = "accord";

/// Verified tokens kept in memory.
const VERIFIED_TOKENS_MAX: u64 = 10_000;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// Opaque identity of the bearer; never a name or an e-mail address.
    pub sub: String,
    /// The bearer's name, for people to read.
    pub name: String,
    pub program: ProgramId,
    pub roles: Vec<Role>,
    /// The partner that a partner's own people act for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<PartnerId>,
    /// Seconds since the Unix epoch.
    pub iat: u64,
    pub exp: u64,
}

impl Claims {
    /// Claims of the built-in issuer, valid from now on for a number of seconds.
    pub fn new(program: ProgramId, subject: &str, name: &str, ttl_seconds: u64) -> Self {
        let now = unix_seconds();
        Self {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject.to_owned(),
            name: name.to_owned(),
            program,
            roles: Vec::new(),
            partner: None,
            iat: now,
            exp: now.saturating_add(ttl_seconds),
        }
    }
}

/// Why a token is not accepted, or the issuer's key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid")]
    Invalid,
    #[error("the issuer's key cannot be used: {0}")]
    Key(String),
}

/// Signs and verifies tokens with one Ed25519 key, kept in the data directory.
#[derive(Clone)]
pub struct Issuer {
    encoding: EncodingKey,
    decoding: DecodingKey,
    verified: Cache<[u8; 32], Arc<Claims>>,
}

impl Issuer {
    /// Reads the key `issuer.pem` of a data directory, or makes one that only its owner can read.
    pub fn open(data: &Path) -> Result<Self, TokenError> {
        let path = data.join("issuer.pem");
        let pem = match fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => create_key(&path)?,
            Err(error) => return Err(key_error(error)),
        };
        let signing = <SigningKey as ed25519_dalek::pkcs8::DecodePrivateKey>::from_pkcs8_pem(&pem)
            .map_err(key_error)?;
        let public =
            signing.verifying_key().to_public_key_pem(LineEnding::LF).map_err(key_error)?;
        Ok(Self {
            encoding: EncodingKey::from_ed_pem(pem.as_bytes()).map_err(key_error)?,
            decoding: DecodingKey::from_ed_pem(public.as_bytes()).map_err(key_error)?,
            verified: Cache::new(VERIFIED_TOKENS_MAX),
        })
    }

    /// Signs claims.
    pub fn sign(&self, claims: &Claims) -> Result<String, TokenError> {
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &self.encoding)
            .map_err(key_error)
    }

    /// The claims of a valid token. The signature is verified once per token; the expiry always.
    pub fn verify(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        let fingerprint: [u8; 32] = Sha256::digest(token).into();
        let claims = match self.verified.get(&fingerprint) {
            Some(claims) => claims,
            None => {
                let claims = Arc::new(self.verify_signature(token)?);
                self.verified.insert(fingerprint, claims.clone());
                claims
            }
        };
        if claims.exp <= unix_seconds() {
            self.verified.invalidate(&fingerprint);
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    fn verify_signature(&self, token: &str) -> Result<Claims, TokenError> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.leeway = 0;
        jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .map(|decoded| decoded.claims)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            })
    }
}

fn create_key(path: &Path) -> Result<String, TokenError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(key_error)?;
    let pem = SigningKey::from_bytes(&seed).to_pkcs8_pem(LineEnding::LF).map_err(key_error)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(key_error)?;
    file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(key_error)?;
    Ok(pem.to_string())
}

fn key_error(error: impl std::fmt::Display) -> TokenError {
    TokenError::Key(error.to_string())
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer() -> (tempfile::TempDir, Issuer) {
        let folder = tempfile::tempdir().unwrap();
        let issuer = Issuer::open(folder.path()).unwrap();
        (folder, issuer)
    }

    fn claims(ttl_seconds: u64) -> Claims {
        Claims::new("acme".parse().unwrap(), "u-1", "Ada", ttl_seconds)
    }

    #[test]
    fn a_signed_token_reads_back_also_after_a_restart() {
        let (folder, issuer) = issuer();
        let token = issuer.sign(&claims(60)).unwrap();
        assert_eq!(issuer.verify(&token).unwrap().sub, "u-1");
        assert_eq!(Issuer::open(folder.path()).unwrap().verify(&token).unwrap().sub, "u-1");
    }

    #[test]
    fn an_expired_token_is_told_from_a_wrong_one() {
        let (_folder, issuer) = issuer();
        let expired = issuer.sign(&claims(0)).unwrap();
        assert!(matches!(issuer.verify(&expired), Err(TokenError::Expired)));
        assert!(matches!(issuer.verify("a.b.c"), Err(TokenError::Invalid)));
    }

    #[test]
    fn a_token_of_another_issuer_is_not_accepted() {
        let (_here, issuer) = issuer();
        let (_there, other) = self::issuer();
        let foreign = other.sign(&claims(60)).unwrap();
        assert!(matches!(issuer.verify(&foreign), Err(TokenError::Invalid)));
    }
}
