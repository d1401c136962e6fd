//! The README's tour: its lines are run as they stand, and its answers are those that come.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use crate::server::binary;
use crate::tidy::root;

/// Where the README says that the server listens.
const ADDRESS: &str = "127.0.0.1:8080";

/// The blocks of a language in the tour, in their order.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let (_, tour) = readme.split_once("## A first tour").unwrap();
    let (tour, _) = tour.split_once("\n## ").unwrap();
    let fence = format!("```{language}\n");
    let blocks = tour.split(&fence).skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0.to_owned()).collect()
}

/// A text without what differs from day to day.
fn timeless(text: &str) -> String {
    let is_day = |word: &[u8]| {
        let digits = |range: std::ops::Range<usize>| word[range].iter().all(u8::is_ascii_digit);
        digits(0..4) && word[4] == b'-' && digits(5..7) && word[7] == b'-' && digits(8..10)
    };
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        match bytes.get(index..index + 10) {
            Some(word) if is_day(word) => {
                out.extend_from_slice(b"DAY");
                index += 10;
            }
            _ => {
                out.push(bytes[index]);
                index += 1;
            }
        }
    }
    String::from_utf8(out).unwrap()
}

/// Runs the tour in a folder of its own and returns all that is said.
fn run(readme: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    symlink(root().join("ops"), folder.path().join("ops")).unwrap();
    symlink(binary(), folder.path().join("accord")).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let lines = blocks(readme, "sh").join("\n").replace(ADDRESS, &free.to_string());
    let script = format!("set -eu\ntrap 'kill $!; wait' EXIT\nexec 2>&1\n{lines}");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .expect("bash runs the tour");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {said}", output.status);
    said
}

#[test]
fn the_tour_runs_from_nothing_and_its_answers_are_those_that_it_shows() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let said = run(&readme);
    let problems: BTreeSet<&str> = said
        .split("urn:accord:problem:")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let shown = ["approver-is-drafter", "opportunity-taken"];
    assert_eq!(problems, BTreeSet::from(shown), "{said}");
    let said = timeless(&said);
    let shown = [blocks(&readme, "json"), blocks(&readme, "csv")].concat();
    assert_eq!(shown.len(), 5, "the tour shows other answers than this test knows");
    for answer in shown {
        let answer = timeless(answer.trim());
        assert!(said.contains(&answer), "{answer}\nis not in what is said:\n{said}");
    }
    // What is looked back at was so then.
    assert!(said.contains("\"status\":\"active\""), "{said}");
}
