//! `accord token`: a token of the built-in issuer.

use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;

use accord_domain::{Day, ProgramId};
use accord_http::{Claims, Issuer};
use accord_projections::Views;
use anyhow::{Context, ensure};
use chrono::Utc;

use crate::cli::{TokenArgs, role_name};
use crate::wiring::existing;

pub(crate) async fn run(args: &TokenArgs) -> anyhow::Result<ExitCode> {
    let claims = claims(args)?;
    let data = existing(&args.data.directory)?;
    let token = Issuer::open(data)?.sign(&claims).context("cannot sign the token")?;
    let others = programs(data).await;
    if !others.is_empty() && !others.contains(&args.program) {
        let names: Vec<&str> = others.iter().map(ProgramId::as_str).collect();
        eprintln!(
            "accord: there is no program `{}` in {} yet; there is {}",
            args.program,
            data.display(),
            names.join(", ")
        );
    }
    writeln!(stdout(), "{token}")?;
    Ok(ExitCode::SUCCESS)
}

/// The programs that the read models know; none where they cannot tell, for a token needs none.
async fn programs(data: &Path) -> Vec<ProgramId> {
    // Opening would make the directory.
    if !data.join("views").is_dir() {
        return Vec::new();
    }
    let Ok(views) = Views::open(data) else { return Vec::new() };
    let rows = views.programs(Day::of_instant(Utc::now())).await.unwrap_or_default();
    rows.into_iter().map(|row| row.id).collect()
}

fn claims(args: &TokenArgs) -> anyhow::Result<Claims> {
    let first = args.role.first().map_or_else(String::new, |role| role_name(*role));
    let of_partner = args.role.iter().any(|role| role.is_partner());
    ensure!(
        !of_partner || args.role.iter().all(|role| role.is_partner()),
        "a token is for a partner's people or for the vendor's, not for both"
    );
    ensure!(!of_partner || args.partner.is_some(), "role `{first}` needs `--partner ID`");
    ensure!(of_partner || args.partner.is_none(), "`--partner` is for the partners' own roles");
    let subject = match (&args.subject, args.partner) {
        (Some(subject), _) => subject.clone(),
        (None, Some(partner)) => format!("{first}-{partner}"),
        (None, None) => first.clone(),
    };
    ensure!(
        !subject.contains('@'),
        "the subject must not be an e-mail address: every event keeps it in clear for ever"
    );
    ensure!(!subject.trim().is_empty(), "the subject must not be blank");
    let name = args.name.as_deref().unwrap_or(&first);
    let mut claims = Claims::new(args.program.clone(), &subject, name, args.ttl.0);
    claims.roles = args.role.clone();
    claims.partner = args.partner;
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use accord_domain::Role;
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn asked(more: &[&str]) -> anyhow::Result<Claims> {
        let first = ["accord", "token", "--data", "d", "--program", "acme"];
        match Cli::try_parse_from(first.iter().chain(more))?.command {
            Command::Token(args) => claims(&args),
            _ => unreachable!("a token was asked for"),
        }
    }

    #[test]
    fn an_address_as_subject_is_refused() {
        let refused = asked(&["--role", "finance", "--subject", "ada@example.org"]).unwrap_err();
        assert!(refused.to_string().contains("e-mail"));
    }

    #[test]
    fn a_partners_role_needs_its_partner() {
        assert!(asked(&["--role", "partner-user"]).is_err());
        let id = "11111111-2222-4333-8444-555555555555";
        let claims = asked(&["--role", "partner-user", "--partner", id]).unwrap();
        assert_eq!(claims.partner.unwrap().to_string(), id);
    }

    #[test]
    fn several_roles_and_a_lifetime_end_up_in_the_claims() {
        let claims = asked(&["--role", "finance", "--role", "marketing", "--ttl", "15m"]).unwrap();
        assert_eq!(claims.roles, [Role::Finance, Role::Marketing]);
        assert_eq!(claims.exp - claims.iat, 900);
    }
}
