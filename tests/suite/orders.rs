//! Quotes, orders and licences over HTTP, and the revenue that they make.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::id_in;
use crate::deals::protected;
use crate::partners::id;
use crate::stage::{QUAZZAR, Stage, ZEXTRAS, new_licence, order, today};

#[tokio::test]
async fn a_gold_partner_with_50_servers_pays_with_15_and_5_which_is_20_percent() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "gold").await;
    let body = json!({ "request": new_licence(servers(50)) });
    let quote = stage.seller(partner).post("quotes", body).await.done();
    let lines: Vec<_> = quote["lines"].as_array().unwrap().iter().map(facts).collect();
    let expected = [
        ("list", None, "1200000"),
        ("level-discount", Some("0.15"), "-180000"),
        ("volume-bonus", Some("0.05"), "-60000"),
    ];
    assert_eq!(lines, expected);
    assert_eq!(quote["lines"][0]["text"], "50 x 20.00 EUR x 12 months");
    assert_eq!(quote["discount"], "0.2");
    assert_eq!(quote["total"], json!({ "minor": 960_000, "currency": "EUR" }));
    assert_eq!(quote["mrr"], json!({ "minor": 80_000, "currency": "EUR" }));
    assert_eq!((&quote["servers"], &quote["rulebook_version"]), (&json!(50), &json!(1)));
    assert!(stage.manager().all("orders").await.is_empty(), "a quote stores nothing");
}

#[tokio::test]
async fn an_order_is_pending_until_it_is_paid_and_then_delivers_its_licence() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let seller = stage.seller(partner);
    let order = seller.post("orders", order(partner, servers(10), "invoice")).await.id();
    let row = seller.get(&format!("orders/{order}")).await.done();
    assert_eq!((&row["status"], &row["kind"]), (&json!("PENDING"), &json!("new")));
    let licence = format!("licences/{}", row["licence"].as_str().unwrap());
    seller.get(&licence).await.refused(404, "not-found");
    let body = json!({ "paid_on": today(), "reference": "INV-7" });
    let complete = format!("orders/{order}/complete");
    seller.post(&complete, body.clone()).await.refused(403, "role-not-allowed");
    stage.finance().post(&complete, body).await.done();
    let row = seller.get(&format!("orders/{order}")).await.done();
    assert_eq!((&row["status"], &row["payment_reference"]), (&json!("COMPLETE"), &json!("INV-7")));
    let licence = seller.get(&licence).await.done();
    assert_eq!((&licence["status"], &licence["servers"]), (&json!("running"), &json!(10)));
    assert_eq!(licence["ends_on"], json!(today().plus_months(12).minus_days(1)));
    let cancel = format!("orders/{order}/cancel");
    let refused = seller.post(&cancel, json!({ "reason": "too late" })).await;
    refused.refused(409, "order-wrong-status");
}

#[tokio::test]
async fn a_paid_renewal_prolongs_the_licence_and_marks_the_order_before_it_renewed() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let (first, licence) = stage.sell(partner, servers(10), "invoice").await;
    let ends_on = today().plus_months(18).minus_days(1);
    let request = json!({ "kind": "renew", "licence": licence, "ends_on": ends_on });
    let body = json!({ "payment": "invoice", "request": request });
    let renewal = stage.seller(partner).post("orders", body).await.id();
    let row = stage.finance().get(&format!("orders/{renewal}")).await.done();
    let lines = row["quote"]["lines"].as_array().unwrap();
    assert_eq!(lines[0]["text"], "10 x 20.00 EUR x 6 months");
    stage.pay(renewal).await;
    let licence = stage.finance().get(&format!("licences/{licence}")).await.done();
    assert_eq!((&licence["ends_on"], &licence["order"]), (&json!(ends_on), &json!(renewal)));
    let before = stage.finance().get(&format!("orders/{first}")).await.done();
    assert_eq!((&before["status"], &before["renewal"]), (&json!("RENEWED"), &json!(renewal)));
}

#[tokio::test]
async fn an_upgrade_names_the_new_total_and_charges_what_is_added_for_the_rest_of_the_term() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let (_, licence) = stage.sell(partner, servers(10), "invoice").await;
    let upgrade = |quantity: u32| json!({ "request": { "kind": "upgrade", "licence": licence, "items": servers(quantity) } });
    let seller = stage.seller(partner);
    seller.post("quotes", upgrade(10)).await.refused(409, "upgrade-not-more");
    let quote = seller.post("quotes", upgrade(15)).await.done();
    assert_eq!(quote["lines"][0]["text"], "5 more x 20.00 EUR x 12 months");
    // 5 x 20.00 x 12 less the 5 % of the level silver.
    assert_eq!(quote["total"]["minor"], 114_000);
    let mut body = upgrade(15);
    body["payment"] = json!("invoice");
    let order = seller.post("orders", body).await.id();
    stage.pay(order).await;
    let licence = seller.get(&format!("licences/{licence}")).await.done();
    assert_eq!((&licence["servers"], &licence["items"]), (&json!(15), &servers(15)));
}

#[tokio::test]
async fn a_licence_takes_one_change_at_a_time_however_many_are_ordered_at_once() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let (_, licence) = stage.sell(partner, servers(10), "invoice").await;
    let seller = stage.seller(partner);
    let upgrade = |quantity: u32| {
        let request = json!({ "kind": "upgrade", "licence": licence, "items": servers(quantity) });
        json!({ "payment": "invoice", "request": request })
    };
    let place = (11..31).map(|quantity| seller.post("orders", upgrade(quantity)));
    let answers = join_all(place).await;
    let (taken, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(taken.len(), 1, "one of 20 changes ordered at once is taken");
    let order = taken[0].id();
    for answer in refused {
        let refused = answer.refused(409, "licence-change-pending");
        assert_eq!(refused["order"], json!(order), "the refusal names what is in the way");
    }
    let row = seller.get(&format!("licences/{licence}")).await.done();
    assert_eq!(row["reserved_by"], json!(order));

    let cancel = format!("orders/{order}/cancel");
    seller.post(&cancel, json!({ "reason": "another quantity" })).await.done();
    let order = seller.post("orders", upgrade(12)).await.id();
    stage.pay(order).await;
    let row = seller.get(&format!("licences/{licence}")).await.done();
    assert_eq!((&row["servers"], &row["reserved_by"]), (&json!(12), &json!(null)));
    seller.post("orders", upgrade(13)).await.id();
}

#[tokio::test]
async fn an_upgrade_of_a_licence_that_ends_sooner_is_prorated_by_its_days() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "silver").await;
    let mut body = order(partner, servers(10), "invoice");
    body["request"]["term_months"] = json!(1);
    let seller = stage.seller(partner);
    let order = seller.post("orders", body).await.id();
    stage.pay(order).await;
    let row = seller.get(&format!("orders/{order}")).await.done();
    let ends_on = today().plus_months(1).minus_days(1).plus_days(10);
    let request = json!({
        "kind": "upgrade", "licence": row["licence"], "items": servers(15), "ends_on": ends_on,
    });
    let quote = seller.post("quotes", json!({ "request": request })).await.done();
    let after = today().plus_months(1);
    let days_in_month = after.days_until(after.plus_months(1));
    let texts: Vec<_> =
        quote["lines"].as_array().unwrap().iter().map(|line| &line["text"]).collect();
    assert_eq!(texts[0], "5 more x 20.00 EUR x 1 month");
    assert_eq!(texts[1], &json!(format!("15 x 20.00 EUR x 10/{days_in_month} month")));
}

#[tokio::test]
async fn orders_keep_to_the_articles_quantities_and_terms_of_the_rulebook() {
    let stage = Stage::open(ZEXTRAS).await;
    let partner = stage.admit_partner("Rete Nova").await;
    let seller = stage.seller(partner);
    let item = |sku: &str, quantity: u32| json!({ "sku": sku, "quantity": quantity });
    let cases = [
        (json!([item("email", 9)]), 409, "quantity-too-small"),
        (json!([item("team-pro", 10)]), 409, "required-article-missing"),
        (json!([item("spaceship", 10)]), 422, "unknown-sku"),
        (json!([item("email", 10), item("email", 20)]), 422, "sku-twice"),
        (json!([]), 422, "nothing-ordered"),
    ];
    for (items, status, code) in cases {
        let body = order(partner, items, "bank-transfer");
        seller.post("orders", body).await.refused(status, code);
    }
    let mut short = order(partner, json!([item("email", 10)]), "bank-transfer");
    short["request"]["term_months"] = json!(11);
    seller.post("orders", short).await.refused(409, "term-out-of-range");
    let by_invoice = order(partner, json!([item("email", 10)]), "invoice");
    seller.post("orders", by_invoice).await.refused(409, "payment-not-offered");
}

#[tokio::test]
async fn direct_sales_are_what_the_rulebook_makes_of_them() {
    let mut direct = order(Uuid::nil(), servers(1), "invoice");
    direct["partner"] = json!(null);
    let stage = Stage::open(QUAZZAR).await;
    let order = stage.finance().post("orders", direct.clone()).await.id();
    let row = stage.finance().get(&format!("orders/{order}")).await.done();
    assert_eq!((&row["partner"], &row["quote"]["discount"]), (&json!(null), &json!("0")));
    let stage = Stage::open(ZEXTRAS).await;
    direct["payment"] = json!("bank-transfer");
    stage.finance().post("orders", direct).await.refused(409, "no-direct-sales");
}

#[tokio::test]
async fn partners_order_for_themselves_and_see_their_own_orders_and_licences_only() {
    let stage = Stage::open(QUAZZAR).await;
    let [own, other] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    let (order_of_other, licence_of_other) = stage.sell(other, servers(1), "invoice").await;
    let seller = stage.seller(own);
    let for_another = order(other, servers(2), "invoice");
    seller.post("orders", for_another.clone()).await.refused(404, "not-found");
    let question = json!({ "partner": other, "request": for_another["request"] });
    seller.post("quotes", question).await.refused(404, "not-found");
    let mut body = for_another;
    body.as_object_mut().unwrap().remove("partner");
    let mine = seller.post("orders", body).await.id();
    let row = seller.get(&format!("orders/{mine}")).await.done();
    assert_eq!(row["partner"], json!(own), "a partner's token orders for its own partner");
    assert_eq!(seller.all("orders").await.iter().map(id).collect::<Vec<_>>(), [mine]);
    seller.get(&format!("orders/{order_of_other}")).await.refused(404, "not-found");
    seller.get(&format!("licences/{licence_of_other}")).await.refused(404, "not-found");
    let request = json!({
        "kind": "upgrade", "licence": licence_of_other, "items": servers(5),
    });
    let refused = seller.post("quotes", json!({ "request": request })).await;
    refused.refused(409, "licence-not-found");
    let body = json!({ "partner": own, "payment": "invoice", "request": request });
    stage.manager().post("orders", body).await.refused(409, "licence-of-another-partner");
}

#[tokio::test]
async fn an_order_may_name_a_protected_deal_of_its_own_partner_only() {
    let stage = Stage::open(QUAZZAR).await;
    let [own, other] =
        [stage.add_partner("Uno", "gold").await, stage.add_partner("Due", "gold").await];
    let foreign = protected(&stage, other, "Comune di Bari").await;
    let mut request = new_licence(servers(2));
    request["deal"] = json!(foreign);
    let seller = stage.seller(own);
    let refused = seller.post("quotes", json!({ "request": request })).await;
    refused.refused(409, "deal-does-not-count");
    request["deal"] = json!(protected(&stage, own, "Comune di Lecce").await);
    let refused = seller.post("quotes", json!({ "request": request })).await;
    refused.refused(409, "deal-of-another-customer");
    request["customer"]["name"] = json!("Comune di LECCE");
    seller.post("quotes", json!({ "request": request })).await.done();
}

#[tokio::test]
async fn a_deals_discount_is_for_one_order_however_many_are_placed_at_once() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "gold").await;
    let deal = protected(&stage, partner, "Ospedale Maggiore").await;
    let mut body = order(partner, servers(2), "invoice");
    body["request"]["deal"] = json!(deal);
    let seller = stage.seller(partner);
    let answers = join_all((0..10).map(|_| seller.post("orders", body.clone()))).await;
    let (taken, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(taken.len(), 1, "one of 10 orders placed at once has the deal");
    let first = taken[0].id();
    for answer in refused {
        assert_eq!(answer.refused(409, "deal-used")["order"], json!(first));
    }
    let cancel = format!("orders/{first}/cancel");
    seller.post(&cancel, json!({ "reason": "another quantity" })).await.done();
    let second = seller.post("orders", body.clone()).await.id();
    stage.pay(second).await;
    let refused = seller.post("orders", body).await.refused(409, "deal-used");
    assert_eq!(refused["order"], json!(second), "a paid order keeps the deal's discount");
}

#[tokio::test]
async fn days_of_orders_that_cannot_be_right_are_refused() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "gold").await;
    let seller = stage.seller(partner);
    for starts_on in [json!(today().plus_days(367)), json!("9999-12-31"), json!("+12345-01-01")] {
        let mut body = order(partner, servers(2), "invoice");
        body["request"]["starts_on"] = starts_on;
        let refused = seller.post("orders", body).await.refused(409, "start-too-far");
        assert_eq!(refused["latest"], json!(today().plus_days(366)));
    }
    let order = seller.post("orders", order(partner, servers(2), "invoice")).await.id();
    let body = json!({ "paid_on": today().minus_days(1), "reference": "INV-7" });
    let refused = stage.finance().post(&format!("orders/{order}/complete"), body).await;
    assert_eq!(refused.refused(409, "payment-before-order")["placed_on"], json!(today()));
}

#[tokio::test]
async fn the_revenue_report_tells_what_each_partner_brings_as_json_and_as_csv() {
    let stage = Stage::open(QUAZZAR).await;
    let [gold, silver] =
        [stage.add_partner("=Oro", "gold").await, stage.add_partner("Argento", "silver").await];
    stage.sell(gold, servers(50), "invoice").await;
    stage.sell(silver, servers(10), "invoice").await;
    let month = &today().to_string()[..7];
    let report = stage.finance().all("reports/revenue").await;
    let of = |partner: Uuid| {
        let mine = |row: &&Value| row["partner"] == json!(partner) && row["month"] == month;
        report.iter().find(mine).unwrap()
    };
    assert_eq!(
        (&of(gold)["mrr_minor"], &of(silver)["mrr_minor"]),
        (&json!(80_000), &json!(19_000))
    );
    assert_eq!(of(gold)["annual_minor"], 960_000);
    assert_eq!((&of(gold)["servers"], &of(gold)["clients"]), (&json!(50), &json!(1)));
    let reporting = stage.staff("rita", accord_domain::Role::Reporting);
    let csv = reporting.get("reports/revenue?format=csv").await;
    assert_eq!(csv.status, 200, "{}", csv.text);
    assert!(csv.header("content-type").starts_with("text/csv"));
    let rows: Vec<&str> = csv.text.lines().collect();
    assert!(rows[0].contains("mrr_minor"), "{}", rows[0]);
    let gold_row = rows.iter().find(|row| row.contains(&gold.to_string())).unwrap();
    assert!(gold_row.contains("80000") && gold_row.contains(month), "{gold_row}");
    assert!(gold_row.contains("'=Oro"), "a name must not become a formula: {gold_row}");
    let own = stage.partner_admin(silver).all("reports/revenue").await;
    assert!(!own.is_empty() && own.iter().all(|row| row["partner"] == json!(silver)), "{own:?}");
}

#[tokio::test]
async fn reports_of_levels_and_deals_come_as_json_and_as_csv() {
    let stage = Stage::open(QUAZZAR).await;
    let partner = stage.add_partner("Nube Srl", "gold").await;
    let deal = protected(&stage, partner, "Ospedale Maggiore").await;
    let levels = stage.finance().all("reports/levels").await;
    assert_eq!((&levels[0]["company"], &levels[0]["level"]), (&json!("Nube Srl"), &json!("gold")));
    let deals = stage.finance().all("reports/deals").await;
    assert_eq!(id_in(&deals[0]["deal"]), deal);
    for (report, word) in [("levels", "gold"), ("deals", "Ospedale Maggiore")] {
        let finance = stage.finance();
        let request = finance.request(reqwest::Method::GET, &format!("reports/{report}"));
        let csv = finance.send(request.header("accept", "text/csv")).await;
        assert_eq!((csv.status, csv.text.lines().count()), (200, 2), "{}", csv.text);
        assert!(csv.text.contains(word), "{}", csv.text);
    }
}

fn servers(quantity: u32) -> Value {
    json!([{ "sku": "cloud-os-server", "quantity": quantity }])
}

/// Kind, rate and amount of a quote's line.
fn facts(line: &Value) -> (&str, Option<&str>, &str) {
    let text = |name: &str| line[name].as_str();
    (text("kind").unwrap(), text("rate"), text("amount_minor").unwrap())
}
