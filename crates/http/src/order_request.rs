//! An order's request, read so that every mistake keeps its place.
//!
//! The domain's type is told apart by a field inside (`kind`). serde looks at such a value twice
//! and forgets where it was, so the field is moved outside before reading.

use accord_domain::customer::Company;
use accord_domain::order::OrderRequest;
use accord_domain::pricing::Item;
use accord_domain::{Currency, Day, DealId, LicenceId};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::body;
use crate::problem::Problem;

const KINDS: [&str; 3] = ["new", "renew", "upgrade"];

/// The fields of [`OrderRequest`], told apart from outside; the compiler holds the two together.
#[derive(Deserialize)]
#[serde(remote = "OrderRequest", rename_all = "kebab-case", deny_unknown_fields)]
enum ByKind {
    New {
        customer: Company,
        currency: Currency,
        items: Vec<Item>,
        starts_on: Day,
        term_months: u32,
        #[serde(default)]
        deal: Option<DealId>,
    },
    Renew {
        licence: LicenceId,
        ends_on: Day,
    },
    Upgrade {
        licence: LicenceId,
        items: Vec<Item>,
        #[serde(default)]
        ends_on: Option<Day>,
    },
}

struct Request(OrderRequest);

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ByKind::deserialize(deserializer).map(Self)
    }
}

/// Reads the field `request` of a body.
pub(crate) fn read(request: Value) -> Result<OrderRequest, Problem> {
    let Value::Object(mut fields) = request else {
        return Err(body::invalid_field("request", "is an object"));
    };
    let kind = fields.shift_remove("kind");
    let Some(kind) = kind.as_ref().and_then(Value::as_str).filter(|kind| KINDS.contains(kind))
    else {
        let message = format!("is one of {}", KINDS.join(", "));
        return Err(body::invalid_field("request.kind", &message));
    };
    let tagged = json!({ kind: fields });
    serde_path_to_error::deserialize::<_, Request>(tagged).map(|read| read.0).map_err(|error| {
        let path = error.path().to_string();
        let path = path.strip_prefix(kind).unwrap_or_default();
        body::mistake(&format!("request{path}"), error.inner())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Value {
        json!({
            "kind": "new", "customer": { "name": "Contoso", "country": "IT" }, "currency": "EUR",
            "items": [{ "sku": "server", "quantity": 5 }], "starts_on": "2026-12-01",
            "term_months": 12,
        })
    }

    #[test]
    fn a_request_is_read_as_the_domain_reads_it() {
        let renew = json!({
            "kind": "renew", "licence": "11111111-2222-4333-8444-555555555555",
            "ends_on": "2027-12-31",
        });
        let upgrade = json!({
            "kind": "upgrade", "licence": "11111111-2222-4333-8444-555555555555",
            "items": [{ "sku": "server", "quantity": 5 }],
        });
        for request in [order(), renew, upgrade] {
            let expected: OrderRequest = serde_json::from_value(request.clone()).unwrap();
            assert_eq!(read(request).unwrap(), expected);
        }
    }

    #[test]
    fn every_mistake_keeps_its_place() {
        let cases = [
            ("/items/0/quantity", json!("five"), "request.items[0].quantity"),
            ("/items/0", json!({ "sku": "server" }), "request.items[0].quantity"),
            ("/customer/country", json!("Italy"), "request.customer.country"),
            ("/currency", json!("XYZ"), "request.currency"),
            ("/kind", json!("gift"), "request.kind"),
        ];
        for (place, value, field) in cases {
            let mut request = order();
            *request.pointer_mut(place).unwrap() = value;
            let problem = read(request).unwrap_err();
            assert_eq!(problem.facts["errors"][0]["field"], field, "{problem:?}");
            assert!(problem.detail.len() < 200, "{}", problem.detail);
        }
        let problem = read(json!({ "kind": "renew", "ends_on": "2027-01-01" })).unwrap_err();
        assert_eq!(problem.facts["errors"][0]["field"], "request.licence");
        assert_eq!(read(json!(7)).unwrap_err().facts["errors"][0]["field"], "request");
    }
}
