//! `accord openapi`: the document that `/openapi.json` serves.

use std::io::{Write, stdout};
use std::process::ExitCode;

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut out = stdout().lock();
    serde_json::to_writer_pretty(&mut out, &accord_http::openapi::document())?;
    writeln!(out)?;
    Ok(ExitCode::SUCCESS)
}
