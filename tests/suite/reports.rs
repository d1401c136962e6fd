//! Reports over HTTP: whole ones for spreadsheets, pages for programs, filters and headers.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::server::Site;
use crate::stage::{QUAZZAR, Stage, today};
use crate::tidy::root;

const REPORTS: [&str; 3] = ["levels", "deals", "revenue"];

async fn csv(stage: &Stage, report: &str, more: &str) -> Answer {
    let answer = stage.finance().get(&format!("reports/{report}?format=csv{more}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

#[tokio::test]
async fn a_report_without_rows_still_has_its_header() {
    let stage = Stage::open(QUAZZAR).await;
    for report in REPORTS {
        let answer = csv(&stage, report, "").await;
        assert_eq!(answer.text.lines().count(), 1, "{}", answer.text);
        assert!(answer.text.contains("program,"), "{}", answer.text);
    }
}

#[tokio::test]
async fn csv_is_the_whole_report_and_with_a_limit_a_page_that_links_to_the_next() {
    let stage = Stage::open(QUAZZAR).await;
    let add = |number: usize| {
        let stage = &stage;
        async move { stage.add_partner(&format!("Partner {number:03}"), "silver").await }
    };
    join_all((0..205).map(add)).await;
    let whole = csv(&stage, "levels", "").await;
    let lines: std::collections::BTreeSet<&str> = whole.text.lines().collect();
    assert_eq!((whole.text.lines().count(), lines.len()), (206, 206), "a row is missing or twice");
    let page = csv(&stage, "levels", "&limit=200&track=partner").await;
    assert_eq!(page.text.lines().count(), 201);
    let link = page.header("link");
    let query = link.strip_prefix("<?").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    for kept in ["format=csv", "limit=200", "track=partner", "cursor="] {
        assert!(query.contains(kept), "{link}");
    }
    let rest = stage.finance().get(&format!("reports/levels?{query}")).await;
    assert_eq!((rest.status, rest.text.lines().count(), rest.header("link")), (200, 6, ""));
}

#[tokio::test]
async fn the_levels_report_tells_the_gap_to_the_next_level_and_the_day_at_risk() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "gold").await;
    let last_day = today().plus_days(40);
    stage.certify(partner, "fleet-management", last_day).await;
    let row = &stage.finance().all("reports/levels").await[0];
    assert_eq!((&row["level"], &row["next_level"]), (&json!("gold"), &json!("platinum")));
    assert_eq!(row["gap"], json!(["certification"]));
    assert_eq!(row["lost_on"], json!(last_day.plus_days(1)));
    assert_eq!(row["at_risk"], json!(["certification"]));
    let text = csv(&stage, "levels", "").await.text;
    let [header, line] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(header.ends_with("next_level,gap,lost_on,at_risk"), "{header}");
    let tail = format!("platinum,certification,{},certification", last_day.plus_days(1));
    assert!(line.ends_with(&tail), "{line}");
}

/// The columns that the runbook promises for each view.
fn promised(runbook: &str) -> Vec<(String, Vec<String>)> {
    let quoted =
        |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = runbook.lines().filter(|line| line.starts_with("| `report_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        (quoted(cells[1])[0].clone(), quoted(cells[3]))
    })
    .collect()
}

#[tokio::test]
async fn the_views_for_sql_have_the_columns_that_the_runbook_promises() {
    let site = Site::start(&[]);
    let stage = Stage::on(&site, QUAZZAR).await;
    stage.add_partner("Nube Srl", "gold").await;
    stage.manager().all("partners").await;
    let folder = site.data().join("views");
    let current = std::fs::read_to_string(folder.join("CURRENT")).unwrap();
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let path = folder.join(current.trim());
    let connection = rusqlite::Connection::open_with_flags(path, flags).unwrap();
    let runbook = std::fs::read_to_string(root().join("ops/runbooks/reporting.md")).unwrap();
    let promised = promised(&runbook);
    assert_eq!(promised.len(), 3);
    for (view, columns) in promised {
        let select = connection.prepare(&format!("SELECT * FROM {view}")).unwrap();
        assert!(select.column_names().eq(&columns), "{view}");
    }
    let company: String =
        connection.query_row("SELECT company FROM report_levels", [], |row| row.get(0)).unwrap();
    assert_eq!(company, "Nube Srl");
}

#[tokio::test]
async fn revenue_is_filtered_by_currency() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "gold").await;
    let items = json!([{ "sku": "cloud-os-server", "quantity": 10 }]);
    stage.sell(partner, items, "invoice").await;
    let rows = |currency: &str| {
        let (finance, path) = (stage.finance(), format!("reports/revenue?currency={currency}"));
        async move { finance.all(&path).await }
    };
    let euros: Vec<Value> = rows("EUR").await;
    assert!(!euros.is_empty() && euros.iter().all(|row| row["currency"] == "EUR"), "{euros:?}");
    assert!(rows("USD").await.is_empty());
    stage.finance().get("reports/revenue?currency=shells").await.refused(400, "malformed-request");
}
