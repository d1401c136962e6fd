//! House rules that a machine can hold. Limits are tests, not advice.

use std::fs;
use std::path::{Path, PathBuf};

const WIDTH_MAX: usize = 100;
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 60;
const PARAMETERS_MAX: usize = 5;
const MODULES_REFUSED: &[&str] = &["utils", "common", "helpers", "manager", "types", "mod"];
const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "crates",
    "ops",
    "projections",
    "rustfmt.toml",
    "schemas",
    "tests",
];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of the workspace.
fn sources() -> Vec<(PathBuf, String)> {
    fn visit(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    visit(&path, found);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["crates", "projections", "tests"] {
        visit(&root().join(folder), &mut found);
    }
    found
}

/// Runs a rule over every file and shows all that break it at once.
fn hold(rule: impl Fn(&Path, &str) -> Vec<String>) {
    let broken: Vec<String> = sources().iter().flat_map(|(path, text)| rule(path, text)).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn lines_are_at_most_100_wide() {
    hold(|path, text| {
        // A table that opted out of rustfmt is read by its columns.
        let table = text.contains("#[rustfmt::skip]");
        // A text in quotes and a table in a comment cannot be broken; rustfmt breaks all else.
        let unbreakable = |line: &str| line.contains('"') || line.trim_start().starts_with("/// |");
        let wide = |line: &&str| line.chars().count() > WIDTH_MAX && !unbreakable(line);
        let lines = text.lines().enumerate().filter(|(_, line)| !table && wide(line));
        lines.map(|(index, _)| format!("{}:{} is too wide", path.display(), index + 1)).collect()
    });
}

#[test]
fn files_are_short_and_say_what_lives_in_them() {
    hold(|path, text| {
        let mut broken = Vec::new();
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            broken.push(format!("{} has {lines} lines", path.display()));
        }
        if !text.starts_with("//!") && !text.starts_with("#!") {
            broken.push(format!("{} does not open with `//!`", path.display()));
        }
        broken
    });
}

#[test]
fn functions_are_at_most_60_lines_long() {
    hold(|path, text| {
        let mut broken = Vec::new();
        let mut start: Option<(usize, usize)> = None;
        for (index, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            match start {
                None if opens_function(line) && !line.trim_end().ends_with([';', '}']) => {
                    start = Some((index, indent));
                }
                Some((first, depth)) if indent == depth && line.trim() == "}" => {
                    if index - first + 1 > FUNCTION_LINES_MAX {
                        let length = index - first + 1;
                        broken.push(format!("{}:{} {length} lines", path.display(), first + 1));
                    }
                    start = None;
                }
                _ => {}
            }
        }
        broken
    });
}

fn opens_function(line: &str) -> bool {
    let words = ["fn ", "pub fn ", "async fn ", "pub async fn ", "pub(crate) fn "];
    let more = ["pub(crate) async fn ", "pub(super) fn ", "pub(super) async fn ", "const fn "];
    let line = line.trim_start();
    words.iter().chain(&more).any(|word| line.starts_with(word))
}

#[test]
fn functions_take_at_most_five_parameters() {
    hold(|path, text| {
        let mut broken = Vec::new();
        for (offset, _) in text.match_indices("fn ") {
            let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
            if !opens_function(&text[line_start..]) {
                continue;
            }
            let Some(count) = parameters(&text[offset..]) else { continue };
            if count > PARAMETERS_MAX {
                let line = text[..offset].lines().count();
                broken.push(format!("{}:{line} takes {count} parameters", path.display()));
            }
        }
        broken
    });
}

/// Parameters of the function whose text starts here; `self` does not count.
fn parameters(text: &str) -> Option<usize> {
    let body = text.find('{').or_else(|| text.find(';'))?;
    let open = text[..body].find('(')?;
    let (mut depth, mut commas, mut last) = (0_i32, 0, ' ');
    // A trailing comma (rustfmt's, on several lines) ends no further parameter.
    let mut trailing = false;
    for letter in text[open..].chars() {
        match letter {
            '(' | '[' | '<' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if last != '-' => depth -= 1,
            ',' if depth == 1 => commas += 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if !letter.is_whitespace() {
            trailing = letter == ',' && depth == 1;
        }
        last = letter;
    }
    let list = text[open + 1..].trim_start();
    let receiver = ["self", "&self", "&mut self", "mut self", "&'a self"];
    let count = commas + 1 - usize::from(receiver.iter().any(|word| list.starts_with(word)));
    Some(count - usize::from(trailing))
}

#[test]
fn module_names_say_what_is_inside() {
    hold(|path, _| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let refused = MODULES_REFUSED.contains(&name.as_str());
        if refused { vec![format!("{} is no name", path.display())] } else { Vec::new() }
    });
}

#[test]
fn no_test_is_ignored_and_none_sleeps() {
    // Spelled in two parts, so that this file does not break its own rule.
    let ignored = ["#[", "ignore"].concat();
    let sleeps = ["thread::", "sleep"].concat();
    hold(|path, text| {
        let in_tests = path.starts_with("tests") || path.ends_with("tests.rs");
        let mut broken = Vec::new();
        if text.contains(&ignored) {
            broken.push(format!("{} ignores a test", path.display()));
        }
        if in_tests && text.contains(&sleeps) {
            broken.push(format!("{} sleeps", path.display()));
        }
        broken
    });
}

#[test]
fn the_top_level_holds_what_the_design_names_and_nothing_else() {
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let known = name.starts_with('.') || name == "target" || TOP_LEVEL.contains(&name.as_str());
        assert!(known, "`{name}` does not belong at the top level");
    }
}
