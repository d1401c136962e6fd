//! `accord openapi`: the document that `/openapi.json` serves.

use std::io::{Write, stdout};
use std::process::ExitCode;

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let document = serde_json::to_string_pretty(&accord_http::openapi::document())?;
    writeln!(stdout(), "{document}")?;
    Ok(ExitCode::SUCCESS)
}
