//! End customers: who an opportunity is about, and when two names mean the same company.
//!
//! Companies match on legal name and country, on registered domain, and on tax id and country, each
//! of them normalised first. One match is enough.

use icu_normalizer::ComposingNormalizerBorrowed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Country, OpportunityId, ProductScope, ProgramId};

const NAME_CHARS_MAX: usize = 200;
const TAX_ID_CHARS_MAX: usize = 32;
const TAX_ID_ALPHANUMERICS_MIN: usize = 4;

/// The root of all opportunity keys. With [`Company::opportunity_keys`] it decides which streams
/// registrations meet in: changing either would part new registrations from the old ones.
const OPPORTUNITY_NAMESPACE: Uuid = Uuid::from_u128(0x6c2f_5e0b_93a1_4d57_8f46_1be0_27d4_ca91);

/// Legal forms at the end of a name, as normalised. They tell companies apart for a registrar, but
/// not for a reader: people leave them out or write them in many ways.
const LEGAL_FORMS: [&str; 46] = [
    "ab",
    "ag",
    "as",
    "asa",
    "aps",
    "bv",
    "bvba",
    "cie",
    "co",
    "company",
    "corp",
    "corporation",
    "cv",
    "doo",
    "ek",
    "eood",
    "eurl",
    "ev",
    "gmbh",
    "inc",
    "incorporated",
    "kg",
    "kgaa",
    "kft",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "ltda",
    "nv",
    "ohg",
    "ood",
    "oy",
    "plc",
    "pty",
    "sa",
    "sarl",
    "sas",
    "se",
    "sl",
    "spa",
    "spzoo",
    "sro",
    "srl",
    "ug",
];

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

/// A field of a company that cannot be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompanyProblem {
    /// The field's name within the company.
    pub field: &'static str,
    pub problem: &'static str,
}

impl Company {
    /// Whether every field can be right; names the first one that cannot.
    pub fn check(&self) -> Result<(), CompanyProblem> {
        let refuse = |field, problem| Err(CompanyProblem { field, problem });
        if self.name.chars().count() > NAME_CHARS_MAX {
            return refuse("name", "it is longer than 200 characters");
        }
        if normalised_name(&self.name).is_empty() {
            return refuse("name", "it has neither letters nor digits");
        }
        if !self.country.is_assigned() {
            return refuse("country", "ISO 3166 knows no such country");
        }
        if self.domain.as_ref().is_some_and(|domain| normalised_domain(domain).is_none()) {
            return refuse("domain", "it is not a domain name such as `example.org`");
        }
        match &self.tax_id {
            Some(tax_id) if tax_id.chars().count() > TAX_ID_CHARS_MAX => {
                refuse("tax_id", "it is longer than 32 characters")
            }
            Some(tax_id) if !tax_id.chars().all(may_be_in_tax_id) => {
                refuse("tax_id", "it has characters other than letters, digits and ` .-/`")
            }
            Some(tax_id) if normalised_tax_id(tax_id).len() < TAX_ID_ALPHANUMERICS_MIN => {
                refuse("tax_id", "it has fewer than 4 letters and digits")
            }
            _ => Ok(()),
        }
    }

    /// The keys under which an opportunity with this company can be claimed, one per way to tell
    /// the company, ascending: the order in which everybody claims them.
    pub fn opportunity_keys(
        &self,
        program: &ProgramId,
        scope: &ProductScope,
    ) -> Vec<OpportunityId> {
        // Codes hold no `/`, so that no two programs and scopes share a namespace.
        let namespace = format!("{program}/{scope}");
        let namespace = Uuid::new_v5(&OPPORTUNITY_NAMESPACE, namespace.as_bytes());
        let key = |text: String| OpportunityId(Uuid::new_v5(&namespace, text.as_bytes()));
        let mut keys: Vec<OpportunityId> = self.identities().into_iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The ways to tell the company, normalised: one text each.
    fn identities(&self) -> Vec<String> {
        let country = self.country;
        let name = normalised_name(&self.name);
        let tax_id = self.tax_id.as_deref().map(normalised_tax_id).unwrap_or_default();
        let domain = self.domain.as_deref().and_then(normalised_domain);
        let identities = [
            (!name.is_empty()).then(|| format!("name/{country}/{name}")),
            (!tax_id.is_empty()).then(|| format!("tax-id/{country}/{tax_id}")),
            domain.map(|domain| format!("domain/{domain}")),
        ];
        identities.into_iter().flatten().collect()
    }

    /// Whether both mean the same company: one match of name, domain or tax id is enough.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let others = other.identities();
        self.identities().iter().any(|identity| others.contains(identity))
    }
}

/// A legal name as compared: folded case, no punctuation, single spaces, no legal form at the end.
pub fn normalised_name(name: &str) -> String {
    let normalizer = ComposingNormalizerBorrowed::new_nfkc();
    let folded: String = normalizer.normalize(name).chars().flat_map(fold_case).collect();
    let composed = normalizer.normalize(&folded);
    // `S.r.l.` is one word and `Smith & Sons` are two.
    let unpointed = composed.chars().filter(|c| !matches!(c, '.' | '\'' | '’'));
    let spaced: String = unpointed.map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    normalizer.normalize(&without_legal_forms(&words).join(" ")).into_owned()
}

/// Case folding in two steps: upper case first, so that `ß` and `SS` or `ς` and `Σ` become equal.
fn fold_case(c: char) -> impl Iterator<Item = char> {
    c.to_uppercase().flat_map(char::to_lowercase)
}

/// Drops legal forms from the end, also those written as single letters (`s p a`), but never all
/// words.
fn without_legal_forms<'a>(words: &'a [&'a str]) -> &'a [&'a str] {
    let is_form = |count: &usize| {
        let tail = &words[words.len() - count..];
        let one_form = *count == 1 || tail.iter().all(|word| word.chars().count() == 1);
        one_form && LEGAL_FORMS.contains(&tail.concat().as_str())
    };
    match (1..words.len().min(5)).find(is_form) {
        Some(count) => without_legal_forms(&words[..words.len() - count]),
        None => words,
    }
}

/// A domain as compared: ASCII, lower case, without `www.` and a trailing dot; `None` where the
/// text is no plausible registered domain.
pub fn normalised_domain(domain: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_strict(domain.trim().trim_end_matches('.')).ok()?;
    let mut domain = ascii.as_str();
    while let Some(rest) = domain.strip_prefix("www.").filter(|rest| rest.contains('.')) {
        domain = rest;
    }
    // A name needs a top-level domain, and none of these is a number as in `192.0.2.1`.
    let (_, top) = domain.rsplit_once('.')?;
    top.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| domain.to_owned())
}

/// A tax id as compared: letters and digits in upper case.
pub fn normalised_tax_id(tax_id: &str) -> String {
    tax_id.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

fn may_be_in_tax_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '-' | '/')
}

#[cfg(test)]
mod tests;
