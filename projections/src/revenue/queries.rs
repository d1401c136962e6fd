//! Reading revenue.

use accord_domain::{Currency, Day, Month, PartnerId, ProgramId, Rate};
use rusqlite::Connection;
use rust_decimal::{Decimal, RoundingStrategy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::month_index;
use crate::{
    Page, QueryError, Scope, Views,
    column::{Column, read},
    page::{Conditions, cursor, limit, page},
};

const MONTHS_MAX: i64 = 120;
const MONTHS_DEFAULT: i64 = 12;
/// Decimal places of a trend; rounded half to even.
const TREND_PLACES: u32 = 4;

/// Recurring revenue of one partner in one month and one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RevenueRow {
    pub program: ProgramId,
    /// Absent for direct sales.
    pub partner: Option<PartnerId>,
    pub company: Option<String>,
    pub month: Month,
    #[schemars(with = "String")]
    pub currency: Currency,
    /// Monthly recurring revenue in minor units.
    pub mrr_minor: i64,
    /// Annual subscription revenue: twelve times the monthly one.
    pub annual_minor: i64,
    pub servers: u64,
    /// Different customers.
    pub clients: u64,
    pub seats: u64,
    pub licences: u64,
    /// Against the month before, in minor units.
    pub change_minor: i64,
    /// The change as a fraction of the month before, to four places; null where that had none.
    #[schemars(with = "Option<String>")]
    pub trend: Option<Rate>,
}

/// Which months and whose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevenueFilter {
    /// First month; absent: eleven months before the last.
    pub from: Option<Month>,
    /// Last month; absent: the current one.
    pub to: Option<Month>,
    pub partner: Option<PartnerId>,
    #[schemars(with = "Option<String>")]
    pub currency: Option<Currency>,
    /// How many partners a page covers, 1 to 200; 50 where absent.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// What a partner manages on a day over all its licences in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Managed {
    pub servers: u64,
    pub seats: u64,
}

impl Views {
    /// Revenue by partner, currency and month. A page holds all rows of up to `limit` partners,
    /// direct sales first.
    pub async fn revenue(
        &self,
        scope: Scope,
        filter: RevenueFilter,
        today: Day,
    ) -> Result<Page<RevenueRow>, QueryError> {
        let limit = limit(filter.limit)?;
        let after: Option<PartnerId> = cursor(filter.cursor.as_deref())?;
        let months = months(&filter, today)?;
        let only = scope.partner.or(filter.partner);
        if scope.partner.is_some() && filter.partner.is_some() && scope.partner != filter.partner {
            return Ok(Page { items: Vec::new(), next: None });
        }
        self.query(move |connection| {
            let snapshot = connection.unchecked_transaction()?;
            let sellers = match only {
                Some(partner) => Page { items: vec![Some(partner)], next: None },
                None => sellers(&snapshot, &scope.program, after, limit)?,
            };
            let mut items = Vec::new();
            for seller in sellers.items {
                items.extend(of_seller(&snapshot, (&scope.program, seller), months)?);
            }
            let wanted = filter.currency;
            items.retain(|row| wanted.is_none_or(|currency| row.currency == currency));
            Ok(Page { items, next: sellers.next })
        })
        .await
    }

    /// Servers and seats over a partner's licences in force on a day.
    pub async fn managed(
        &self,
        scope: Scope,
        partner: PartnerId,
        today: Day,
    ) -> Result<Managed, QueryError> {
        self.query(move |connection| {
            let mut conditions = Conditions::within(&scope);
            conditions.and("partner = ?", &partner);
            conditions.and("from_day <= ?", &today);
            conditions.and("to_day >= ?", &today);
            let sql = format!(
                "SELECT coalesce(sum(servers), 0), coalesce(sum(seats), 0) FROM segments {}",
                conditions.sql()
            );
            connection.prepare_cached(&sql)?.query_row(
                rusqlite::params_from_iter(&conditions.values),
                |row| {
                    let mut index = 0;
                    let servers = read(row, &mut index)?;
                    Ok(Managed { servers, seats: read(row, &mut index)? })
                },
            )
        })
        .await
    }
}

/// First and last month of a filter, as indexes.
fn months(filter: &RevenueFilter, today: Day) -> Result<(i64, i64), QueryError> {
    let index = |month: Month| month_index(month.first_day());
    let to = filter.to.map_or(month_index(today), index);
    let from = filter.from.map_or(to - MONTHS_DEFAULT + 1, index);
    if from > to || to - from >= MONTHS_MAX {
        return Err(QueryError::InvalidMonths { months_max: MONTHS_MAX });
    }
    Ok((from, to))
}

/// The partners of a page; `None` stands for direct sales and comes first.
fn sellers(
    connection: &Connection,
    program: &ProgramId,
    after: Option<PartnerId>,
    limit: usize,
) -> rusqlite::Result<Page<Option<PartnerId>>> {
    let mut conditions = Conditions::of("program = ?", program);
    conditions.and_some("partner > ?", after.as_ref());
    let sql =
        format!("SELECT DISTINCT partner FROM segments {}", conditions.ordered("partner", limit));
    let mut select = connection.prepare_cached(&sql)?;
    let rows = select.query_map(rusqlite::params_from_iter(&conditions.values), |row| {
        read::<Option<PartnerId>>(row, &mut 0)
    })?;
    Ok(page(rows.collect::<Result<_, _>>()?, limit, |seller| *seller))
}

fn of_seller(
    connection: &Connection,
    (program, seller): (&ProgramId, Option<PartnerId>),
    (from, to): (i64, i64),
) -> rusqlite::Result<Vec<RevenueRow>> {
    let mut select = connection.prepare_cached(
        "WITH RECURSIVE months (month) AS (
            SELECT ?3 UNION ALL SELECT month + 1 FROM months WHERE month < ?4
        )
        SELECT m.month, s.currency, sum(s.mrr_minor), sum(s.servers),
            count(DISTINCT s.customer_key), sum(s.seats), count(*),
            (SELECT name FROM partners WHERE id = ?2)
        FROM segments AS s
        JOIN months AS m ON m.month BETWEEN s.first_month AND s.last_month
        WHERE s.program = ?1 AND s.partner IS ?2
        GROUP BY s.currency, m.month
        ORDER BY s.currency, m.month",
    )?;
    // One month more, for the first month's trend.
    let before = from - 1;
    let values = [program.to_column(), seller.to_column(), before.to_column(), to.to_column()];
    let mut found = select.query(values)?;
    let (mut rows, mut previous) = (Vec::new(), None);
    while let Some(row) = found.next()? {
        let index = &mut 0;
        let (month, currency): (i64, Currency) = (read(row, index)?, read(row, index)?);
        let mrr_minor: i64 = read(row, index)?;
        let mrr_before = match previous {
            Some((last, last_currency, mrr)) if (last, last_currency) == (month - 1, currency) => {
                mrr
            }
            _ => 0,
        };
        previous = Some((month, currency, mrr_minor));
        if month >= from {
            rows.push(RevenueRow {
                program: program.clone(),
                partner: seller,
                month: month_at(month),
                currency,
                mrr_minor,
                annual_minor: mrr_minor.saturating_mul(12),
                servers: read(row, index)?,
                clients: read(row, index)?,
                seats: read(row, index)?,
                licences: read(row, index)?,
                company: read(row, index)?,
                change_minor: mrr_minor.saturating_sub(mrr_before),
                trend: trend(mrr_minor, mrr_before),
            });
        }
    }
    Ok(rows)
}

fn trend(mrr_minor: i64, mrr_before: i64) -> Option<Rate> {
    let before = Decimal::from(mrr_before);
    let change = Decimal::from(mrr_minor) - before;
    let trend = change.checked_div(before)?;
    let nearest_even = RoundingStrategy::MidpointNearestEven;
    Some(Rate(trend.round_dp_with_strategy(TREND_PLACES, nearest_even).normalize()))
}

fn month_at(index: i64) -> Month {
    let text = format!("{:04}-{:02}", index.div_euclid(12), index.rem_euclid(12) + 1);
    text.parse().expect("an index made of a day is a month")
}
