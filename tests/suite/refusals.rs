//! The document's statuses of refusals are those that the domain's kinds of refusals lead to.

use accord_http::openapi::refusal_status;

use crate::tidy::root;

/// `Self::UnknownSku { .. }` as it is written in a match.
fn variants(pattern: &str) -> impl Iterator<Item = String> {
    pattern.split("Self::").skip(1).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric());
        kebab(&rest[..end.unwrap_or(rest.len())])
    })
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// What `kind` of an aggregate's refusals says: codes with their statuses.
fn kinds(source: &str) -> Vec<(String, u16)> {
    let Some((_, rest)) =
        source.split_once("fn kind(&self) -> RefusalKind {\n        match self {")
    else {
        return Vec::new();
    };
    let arms = rest.split_once("\n        }\n").map_or(rest, |(arms, _)| arms);
    let mut found = Vec::new();
    for (arm, status) in [("RefusalKind::NotFound", 404), ("RefusalKind::InvalidValue", 422)] {
        let Some((before, _)) = arms.split_once(arm) else { continue };
        let pattern = before.rsplit("RefusalKind::").next().unwrap_or_default();
        found.extend(variants(pattern).map(|code| (code, status)));
    }
    found
}

#[test]
fn every_refusal_is_documented_under_the_status_that_its_kind_leads_to() {
    let mut files = vec![root().join("crates/domain/src")];
    let mut checked = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        for (code, status) in kinds(&std::fs::read_to_string(&path).unwrap()) {
            assert_eq!(refusal_status(&code), status, "{code} in {}", path.display());
            checked += 1;
        }
    }
    assert!(checked > 25, "only {checked} refusals were found");
    assert_eq!(refusal_status("approver-is-drafter"), 409);
}
