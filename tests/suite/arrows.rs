//! The arrows between the crates, as `cargo metadata` sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Which workspace crates each crate may depend on (tests and examples excepted).
const ALLOWED: &[(&str, &[&str])] = &[
    ("accord-domain", &[]),
    ("accord-eventlog", &[]),
    ("accord-app", &["accord-domain", "accord-eventlog"]),
    ("accord-projections", &["accord-domain", "accord-eventlog"]),
    ("accord-audit", &["accord-domain", "accord-eventlog"]),
    ("accord-eventlog-kurrentdb", &["accord-eventlog"]),
    ("accord-eventlog-sqlite", &["accord-eventlog"]),
    ("accord-eventlog-wire", &["accord-eventlog"]),
    ("accord-http", &["accord-app", "accord-domain", "accord-eventlog", "accord-projections"]),
    (
        "accord",
        &[
            "accord-app",
            "accord-audit",
            "accord-domain",
            "accord-eventlog",
            "accord-eventlog-kurrentdb",
            "accord-eventlog-sqlite",
            "accord-eventlog-wire",
            "accord-http",
            "accord-projections",
        ],
    ),
    (
        "accord-load",
        &[
            "accord-app",
            "accord-domain",
            "accord-eventlog",
            "accord-eventlog-sqlite",
            "accord-projections",
        ],
    ),
    ("accord-tests", &[]),
];

/// Crates that would bring I/O, a clock or randomness into the domain.
const NOT_IN_DOMAIN: &[&str] = &["tokio", "axum", "rusqlite", "hyper", "rand", "getrandom"];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(super::tidy::root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let normal = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
            .collect()
    };
    packages
        .iter()
        .map(|package| (package["name"].as_str().unwrap().to_owned(), normal(package)))
        .collect()
}

#[test]
fn crates_depend_on_each_other_only_along_the_drawn_arrows() {
    let allowed: BTreeMap<_, BTreeSet<_>> =
        ALLOWED.iter().map(|(name, arrows)| (*name, arrows.iter().copied().collect())).collect();
    for (name, found) in dependencies() {
        let arrows = allowed.get(name.as_str()).unwrap_or_else(|| panic!("`{name}` is not drawn"));
        let ours = found.iter().filter(|dependency| dependency.starts_with("accord"));
        for dependency in ours {
            assert!(arrows.contains(dependency.as_str()), "`{name}` must not use `{dependency}`");
        }
    }
}

#[test]
fn the_domain_has_no_io_no_clock_and_no_randomness() {
    let found = &dependencies()["accord-domain"];
    for crate_name in NOT_IN_DOMAIN {
        assert!(!found.contains(*crate_name), "the domain must not use `{crate_name}`");
    }
}
