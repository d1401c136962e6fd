//! Reading deals.

use accord_domain::{
    Country, Currency, Day, DealId, PartnerId, ProductScope, ProgramId, customer::normalised_name,
    deal::DealStatus,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DealRow;
use crate::{
    Page, QueryError, Scope, Views,
    column::Column,
    page::{Conditions, cursor, limit, page},
    row::{record, select},
};

/// How many customers of similar names are shown to a reviewer.
const NEAR_MATCHES_MAX: u32 = 20;
/// Leading characters of the normalised name that two near matches share.
const NEAR_PREFIX_CHARS: usize = 6;

/// How many deals stand in one column of the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DealCount {
    pub status: DealStatus,
    pub count: u64,
}

record! {
    /// Another deal whose customer has a similar name.
    pub struct NearMatch {
        pub id: DealId,
        pub partner: PartnerId,
        pub status: DealStatus,
        pub customer: accord_domain::customer::Company,
        pub product_scope: ProductScope,
        pub protected_until: Option<Day>,
    }
}

record! {
    /// A line of the report `deals`.
    pub struct DealReportRow {
        pub program: ProgramId,
        #[serde(rename = "deal")]
        pub id: DealId,
        pub partner: PartnerId,
        /// The partner's company.
        pub company: Option<String>,
        pub status: DealStatus,
        pub customer_name: String,
        pub country: Country,
        pub product_scope: ProductScope,
        pub value_minor: i64,
        #[schemars(with = "String")]
        pub currency: Currency,
        pub expected_close: Day,
        pub protected_from: Option<Day>,
        pub protected_until: Option<Day>,
        pub closed_on: Option<Day>,
        #[serde(skip)]
        pub(crate) opened: u64,
    }
}

/// Which deals; every given field must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DealFilter {
    pub partner: Option<PartnerId>,
    pub status: Option<DealStatus>,
    pub product_scope: Option<ProductScope>,
    /// Protected deals whose protection or next activity is over by this day.
    pub ending_by: Option<Day>,
    /// 1 to 200; 50 where absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl DealFilter {
    fn conditions<'a>(&'a self, scope: &'a Scope, before: Option<&'a u64>) -> Conditions<'a> {
        let mut conditions = Conditions::within(scope);
        conditions.and_some("partner = ?", self.partner.as_ref());
        conditions.and_some("status = ?", self.status.as_ref());
        conditions.and_some("product_scope = ?", self.product_scope.as_ref());
        let ending = "status = 'protected' AND min(protected_until, activity_due) <= ?";
        conditions.and_some(ending, self.ending_by.as_ref());
        conditions.and_some("opened < ?", before);
        conditions
    }
}

impl Views {
    /// Deals, the newest first.
    pub async fn deals(
        &self,
        scope: Scope,
        filter: DealFilter,
    ) -> Result<Page<DealRow>, QueryError> {
        let limit = limit(filter.limit)?;
        let before: Option<u64> = cursor(filter.cursor.as_deref())?;
        self.query(move |connection| {
            let conditions = filter.conditions(&scope, before.as_ref());
            let tail = conditions.ordered("opened DESC", limit);
            let rows = select(connection, "deals", &tail, &conditions.values)?;
            Ok(page(rows, limit, |row: &DealRow| row.opened))
        })
        .await
    }

    /// One deal.
    pub async fn deal(&self, scope: Scope, id: DealId) -> Result<Option<DealRow>, QueryError> {
        self.query(move |connection| {
            let mut conditions = Conditions::within(&scope);
            conditions.and("id = ?", &id);
            let rows = select(connection, "deals", conditions.sql(), &conditions.values)?;
            Ok(rows.into_iter().next())
        })
        .await
    }

    /// The board's columns: how many deals have which status.
    pub async fn deal_counts(&self, scope: Scope) -> Result<Vec<DealCount>, QueryError> {
        self.query(move |connection| {
            let conditions = Conditions::within(&scope);
            let sql = format!(
                "SELECT status, count(*) FROM deals {} GROUP BY status ORDER BY status",
                conditions.sql()
            );
            let mut select = connection.prepare_cached(&sql)?;
            let rows = select.query_map(rusqlite::params_from_iter(&conditions.values), |row| {
                let mut index = 0;
                let status = crate::column::read(row, &mut index)?;
                Ok(DealCount { status, count: crate::column::read(row, &mut index)? })
            })?;
            rows.collect()
        })
        .await
    }

    /// Other deals of the program whose customers have names like this deal's: for the reviewer
    /// only, exact matches block by themselves.
    pub async fn near_matches(
        &self,
        program: ProgramId,
        deal: DealId,
        customer_name: String,
    ) -> Result<Vec<NearMatch>, QueryError> {
        self.query(move |connection| {
            let name = normalised_name(&customer_name);
            let from: String = name.chars().take(NEAR_PREFIX_CHARS).collect();
            let to = format!("{from}{}", char::MAX);
            let mut conditions = Conditions::of("program = ?", &program);
            conditions.and("customer_key >= ?", &from);
            conditions.and("customer_key < ?", &to);
            conditions.and("id <> ?", &deal);
            let tail =
                format!("{} ORDER BY customer_key LIMIT {NEAR_MATCHES_MAX}", conditions.sql());
            select(connection, "deals", &tail, &conditions.values)
        })
        .await
    }

    /// The report `deals`, the newest first.
    pub async fn report_deals(
        &self,
        scope: Scope,
        filter: DealFilter,
    ) -> Result<Page<DealReportRow>, QueryError> {
        let limit = limit(filter.limit)?;
        let before: Option<u64> = cursor(filter.cursor.as_deref())?;
        self.query(move |connection| {
            let conditions = filter.conditions(&scope, before.as_ref());
            let tail = conditions.ordered("opened DESC", limit);
            let table = "(SELECT *,
                    (SELECT name FROM partners WHERE partners.id = deals.partner) AS company,
                    json_extract(customer, '$.name') AS customer_name,
                    json_extract(customer, '$.country') AS country,
                    json_extract(value, '$.minor') AS value_minor,
                    json_extract(value, '$.currency') AS currency
                FROM deals)";
            let rows = select(connection, table, &tail, &conditions.values)?;
            Ok(page(rows, limit, |row: &DealReportRow| row.opened))
        })
        .await
    }
}

/// The deal as others see it in their queries.
pub(crate) fn by_id(
    connection: &rusqlite::Connection,
    id: DealId,
) -> rusqlite::Result<Option<DealRow>> {
    let rows = select(connection, "deals", "WHERE id = ?1", &[id.to_column()])?;
    Ok(rows.into_iter().next())
}
