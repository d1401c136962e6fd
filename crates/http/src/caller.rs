//! Who calls: the token, the program in the path and the role that allows the request.

use std::sync::Arc;

use accord_domain::{Actor, PartnerId, ProgramId, Role, Subject};
use axum::http::{HeaderMap, header};

use crate::token::{Claims, TokenError};
use crate::{Http, problem::Problem};

/// A verified caller of one program.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) claims: Arc<Claims>,
}

impl Caller {
    /// The bearer of the request's token.
    pub(crate) fn authenticate(http: &Http, headers: &HeaderMap) -> Result<Self, Problem> {
        let missing = || Problem::new("token-missing", "send `Authorization: Bearer <token>`");
        let header = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
        let token = header.to_str().ok().and_then(bearer).ok_or_else(missing)?;
        match http.issuer.verify(token) {
            Ok(claims) => {
                http.check_rate(&claims)?;
                Ok(Self { claims })
            }
            Err(TokenError::Expired) => {
                Err(Problem::new("token-expired", "the token has expired; get a new one"))
            }
            Err(_) => Err(Problem::new("token-invalid", "the token is not valid here")),
        }
    }

    /// Lets the caller into the program that its token is for; any other one does not exist for it.
    pub(crate) fn enter(&self, program: &str) -> Result<ProgramId, Problem> {
        if self.claims.program.as_str() == program {
            Ok(self.claims.program.clone())
        } else {
            Err(Problem::new("program-not-found", "there is no such program for this token"))
        }
    }

    /// The first of the caller's roles that is allowed here.
    pub(crate) fn role(&self, allowed: &[Role]) -> Result<Role, Problem> {
        let role = self.claims.roles.iter().copied().find(|role| {
            allowed.contains(role) && (!role.is_partner() || self.claims.partner.is_some())
        });
        role.ok_or_else(|| {
            Problem::new("role-not-allowed", "none of the token's roles may do this")
                .with("allowed", serde_json::to_value(allowed).unwrap_or_default())
        })
    }

    /// The partner whose data alone a caller in this role may see.
    pub(crate) fn scope(&self, role: Role) -> Option<PartnerId> {
        self.claims.partner.filter(|_| role.is_partner())
    }

    pub(crate) fn actor(&self, role: Role) -> Actor {
        Actor {
            subject: Subject(self.claims.sub.clone()),
            name: self.claims.name.clone(),
            role,
            acting_for: self.scope(role),
        }
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
