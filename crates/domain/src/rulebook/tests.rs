//! The shipped rulebooks.

use super::*;
use crate::aggregate::testing::{QUAZZAR, ZEXTRAS};

#[test]
fn the_shipped_rulebooks_have_no_mistakes() {
    for text in [QUAZZAR, ZEXTRAS] {
        assert_eq!(Rulebook::from_toml(text).map(|_| ()), Ok(()));
    }
}
