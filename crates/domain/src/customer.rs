//! End customers: who an opportunity is about, and when two names mean the same company.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Country;

/// A company, as a partner or an end customer. Not a person: kept in clear.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// Legal name.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    pub country: Country,
    /// Registered domain, for example `example.org`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
}
