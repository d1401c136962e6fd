//! Names of operations: stable, unique, fit to be functions of a generated client.

use crate::commands::{CommandRoute, commands};

const PROGRAM: &str = "/v1/programs/{program}/";

/// `deals.submit`; where a collection is created in several ways, `partners.create`.
pub(super) fn of_command(route: &CommandRoute) -> String {
    let ways = commands().iter().filter(|it| it.creates && it.collection == route.collection);
    let name = if route.creates && ways.count() > 1 { "create" } else { route.name };
    format!("{}.{name}", route.collection)
}

/// `deals.list`, `deals.get`, `deals.near-matches`, `reports.levels`, `readyz`.
pub(super) fn of_read(path: &str) -> String {
    let below = path.strip_prefix(PROGRAM).or_else(|| path.strip_prefix("/v1/"));
    let Some(below) = below else { return path.trim_start_matches('/').to_owned() };
    let parts: Vec<&str> = below.split('/').filter(|part| *part != "{id}").collect();
    match (&parts[..], below.ends_with("{id}")) {
        ([collection], true) => format!("{collection}.get"),
        ([collection], false) => format!("{collection}.list"),
        (parts, _) => parts.join("."),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::document;
    use super::*;

    #[test]
    fn names_read_as_what_they_are() {
        let cases = [
            ("/v1/programs", "programs.list"),
            ("/v1/programs/{program}/deals", "deals.list"),
            ("/v1/programs/{program}/deals/{id}", "deals.get"),
            ("/v1/programs/{program}/deals/{id}/near-matches", "deals.near-matches"),
            ("/v1/programs/{program}/reports/levels", "reports.levels"),
            ("/readyz", "readyz"),
        ];
        for (path, name) in cases {
            assert_eq!(of_read(path), name);
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_without_spaces_or_braces() {
        let document = document();
        let mut names = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for operation in methods.as_object().unwrap().values() {
                let name = operation["operationId"].as_str().unwrap();
                let plain = |letter: char| letter.is_ascii_lowercase() || "-.".contains(letter);
                assert!(name.chars().all(plain), "{path}: {name}");
                assert!(names.insert(name.to_owned()), "{name} is there twice");
            }
        }
        assert!(names.contains("partners.create") && names.contains("deals.submit"), "{names:?}");
    }
}
