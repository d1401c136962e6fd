//! Measures the read side over a generated log: rebuild, live folding and page queries, each beside
//! a probe of this machine.
//!
//! `cargo run --release -p accord-projections --example rebuild_bench -- [EVENTS] [PARTNERS]`

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use accord_domain::{DomainEvent, customer::Company, metadata::Metadata};
use accord_eventlog::{Direction, EventLog, ExpectedRevision, Filter, NewEvent, StreamName};
use accord_eventlog_sqlite::SqliteEventLog;
use accord_projections::{DealFilter, PartnerFilter, Runner, Scope, Views, rebuild, verify};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PROGRAM: &str = "bench";
const APPENDS_AT_ONCE: usize = 512;
const QUERIES_AT_ONCE: u64 = 64;
const QUERY_TIME: Duration = Duration::from_secs(4);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let partners: u64 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let directory = tempfile::tempdir()?;
    let log = Arc::new(SqliteEventLog::open(&directory.path().join("log.db"))?);
    let mut generator = Generator::new(partners);
    measure_appends(&log, &mut generator, events).await?;
    probe_decoding(&log).await?;
    probe_inserts(directory.path())?;
    measure_rebuild(&log, directory.path()).await?;
    measure_appends(&log, &mut generator, events / 4).await?;
    let views = measure_following(&log, directory.path()).await?;
    measure_pages(&views).await?;
    let agree = verify(&*log, directory.path()).await?.iter().all(|report| report.agrees());
    println!("verify: {}", if agree { "every table agrees" } else { "TABLES DIFFER" });
    println!("resident: {} MB", resident_kib()? / 1024);
    Ok(())
}

/// Wall clock and processor time of one measurement: on a busy machine the latter says more.
struct Watch {
    began: Instant,
    cpu_ms: u64,
}

impl Watch {
    fn start() -> Self {
        Self { began: Instant::now(), cpu_ms: cpu_ms() }
    }

    fn print(&self, what: &str, count: u64) {
        let (wall_ms, cpu_ms) = (self.began.elapsed().as_millis(), cpu_ms() - self.cpu_ms);
        let per_second = u128::from(count) * 1000 / wall_ms.max(1);
        let per_core = count * 1000 / cpu_ms.max(1);
        println!(
            "{what:<40} {per_second:>9}/s, {per_core:>9}/s per core ({count} in {wall_ms} ms)"
        );
    }
}

/// Processor time of this process: user and system, in ticks of 10 ms.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}

fn resident_kib() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).unwrap_or("0");
    Ok(number.parse()?)
}

async fn measure_appends(log: &SqliteEventLog, from: &mut Generator, events: u64) -> Outcome<()> {
    let (watch, mut appended) = (Watch::start(), 0);
    while appended < events {
        let appends: Vec<_> = (0..APPENDS_AT_ONCE).map(|_| from.next()).collect();
        appended += appends.iter().map(|(_, events)| events.len() as u64).sum::<u64>();
        let appends = appends.into_iter().map(|(stream, events)| async move {
            log.append(&stream, ExpectedRevision::Any, events).await
        });
        for outcome in futures::future::join_all(appends).await {
            outcome?;
        }
    }
    watch.print("probe: append to the log", appended);
    Ok(())
}

async fn probe_decoding(log: &SqliteEventLog) -> Outcome<()> {
    let events = log.read_all(Direction::Forward, None, &Filter::default(), 100_000).await?;
    let watch = Watch::start();
    for event in &events {
        DomainEvent::decode(event.stream.category(), &event.kind, &event.data)?;
        serde_json::from_slice::<Metadata>(&event.metadata)?;
    }
    watch.print("probe: decode events, one thread", events.len() as u64);
    Ok(())
}

fn probe_inserts(directory: &Path) -> Outcome<()> {
    let connection = rusqlite::Connection::open(directory.join("probe.db"))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         CREATE TABLE probe (id INTEGER PRIMARY KEY, a INTEGER, b BLOB, c TEXT); BEGIN;",
    )?;
    let watch = Watch::start();
    let mut insert = connection.prepare("INSERT INTO probe VALUES (?1, ?2, ?3, ?4)")?;
    for id in 0..500_000_i64 {
        insert.execute((id, id * 7, [0_u8; 16], "a text of some length"))?;
    }
    connection.execute_batch("COMMIT")?;
    watch.print("probe: insert narrow rows, one thread", 500_000);
    Ok(())
}

async fn measure_rebuild(log: &SqliteEventLog, directory: &Path) -> Outcome<()> {
    let watch = Watch::start();
    let done = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&done);
    let progress = move |progress: accord_projections::Progress| {
        told.store(progress.done, Ordering::Relaxed);
    };
    rebuild(log, directory, progress, &CancellationToken::new()).await?;
    watch.print("rebuild of all read models", done.load(Ordering::Relaxed));
    println!("resident: {} MB", resident_kib()? / 1024);
    Ok(())
}

async fn measure_following(log: &Arc<SqliteEventLog>, directory: &Path) -> Outcome<Arc<Views>> {
    let views = Views::open(directory)?;
    let before = views.status().folded;
    let head = log.head().await?.unwrap_or_default();
    let watch = Watch::start();
    let runner = Runner::start(log.clone(), Arc::clone(&views));
    views.wait_for(head, Duration::from_secs(600)).await?;
    watch.print("folding as the runner does", views.status().folded - before);
    println!("status: {:?}", views.status());
    runner.stop().await;
    Ok(views)
}

async fn measure_pages(views: &Arc<Views>) -> Outcome<()> {
    for (what, filter) in [
        ("partners, by name", page_filter as fn(u64) -> PartnerFilter),
        ("partners, by country and level", narrow_filter),
    ] {
        let (watch, began, mut pages) = (Watch::start(), Instant::now(), JoinSet::new());
        for task in 0..QUERIES_AT_ONCE {
            let views = Arc::clone(views);
            pages.spawn(async move {
                let mut count = 0;
                while began.elapsed() < QUERY_TIME {
                    let filter = filter(task * 7919 + count * 104_729);
                    let page = views.partners(scope(), filter).await.expect("a page");
                    serde_json::to_vec(&page).expect("a page is JSON");
                    count += 1;
                }
                count
            });
        }
        watch.print(&format!("pages of 20 {what}"), pages.join_all().await.iter().sum());
    }
    let watch = Watch::start();
    for _ in 0..1000 {
        let filter = DealFilter { limit: Some(20), ..DealFilter::default() };
        views.deals(scope(), filter).await?;
    }
    watch.print("pages of 20 deals, one at a time", 1000);
    Ok(())
}

fn scope() -> Scope {
    Scope::program(PROGRAM.parse().expect("a program"))
}

fn page_filter(seed: u64) -> PartnerFilter {
    let name = Some(format!("company {:02}", seed % 100));
    PartnerFilter { name, limit: Some(20), ..PartnerFilter::default() }
}

fn narrow_filter(seed: u64) -> PartnerFilter {
    let country = ["DE", "IT", "FR"][seed as usize % 3].parse().ok();
    let level = "gold".parse().ok();
    PartnerFilter { country, level, limit: Some(20), ..PartnerFilter::default() }
}

/// A history in which partners join first, and then mostly work on their deals.
struct Generator {
    partners: u64,
    step: u64,
    state: u64,
    deals: Vec<Uuid>,
}

impl Generator {
    fn new(partners: u64) -> Self {
        Self { partners, step: 0, state: 0x9e37_79b9_7f4a_7c15, deals: Vec::new() }
    }

    /// A repeatable sequence; statistics do not matter here.
    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn partner(&mut self) -> Uuid {
        partner_id(self.random() % self.partners)
    }

    fn next(&mut self) -> (StreamName, Vec<NewEvent>) {
        self.step += 1;
        if self.step <= self.partners {
            return self.joins(self.step - 1);
        }
        match self.random() % 100 {
            0..10 => self.certificate(),
            10..18 => self.order(),
            18..26 => self.licence(),
            26..45 => self.new_deal(),
            _ => self.activity(),
        }
    }

    fn joins(&mut self, number: u64) -> (StreamName, Vec<NewEvent>) {
        let mut company = company(number);
        company["country"] = json!(["DE", "IT", "FR", "ES"][number as usize % 4]);
        let level = ["silver", "gold", "platinum"][number as usize % 3];
        let registered =
            json!({"company": company, "track": "main", "contacts": [], "mode": "registration"});
        let changed = json!({"track": "main", "from": null, "to": level,
            "cause": {"kind": "entry"}, "reason": "entry"});
        let id = partner_id(number);
        self.events("partner", id, &[("PartnerRegistered", registered), ("LevelChanged", changed)])
    }

    fn certificate(&mut self) -> (StreamName, Vec<NewEvent>) {
        let partner = self.partner();
        let person = Uuid::from_u128(self.random().into());
        let issued = json!({"partner": partner, "certification": "C2",
            "holder": {"person": person, "sealed": "c2VhbGVkIHBlcnNvbmFsIGRhdGEgb2YgYSBwZXJzb24"},
            "issued_on": "2025-02-01", "expires_on": "2027-02-01"});
        let id = self.fresh();
        self.events("certificate", id, &[("CertificateIssued", issued)])
    }

    fn order(&mut self) -> (StreamName, Vec<NewEvent>) {
        let (partner, licence) = (self.partner(), self.fresh());
        let customer = company(self.random() % 50_000);
        let items = json!([{"sku": "workspace", "quantity": 100}]);
        let quote = json!({
            "lines": [{"kind": "list", "text": "100 x 2.00 EUR x 12 months", "sku": "workspace",
                "amount_minor": "240000"}],
            "discount": "0", "total": {"minor": 240_000, "currency": "EUR"},
            "mrr": {"minor": 20_000, "currency": "EUR"}, "starts_on": "2026-01-01",
            "ends_on": "2026-12-31", "seats": 100, "servers": 1, "items": items,
            "rulebook_version": 1});
        let request = json!({"kind": "new", "customer": customer, "currency": "EUR",
            "items": items, "starts_on": "2026-01-01", "term_months": 12, "deal": null});
        let placed = json!({"partner": partner, "customer": customer, "licence": licence,
            "request": request, "payment": "invoice", "quote": quote, "previous_order": null});
        let completed = json!({"paid_on": "2026-01-02", "reference": "transfer 1"});
        let id = self.fresh();
        self.events("order", id, &[("OrderPlaced", placed), ("OrderCompleted", completed)])
    }

    fn licence(&mut self) -> (StreamName, Vec<NewEvent>) {
        let (partner, order) = (self.partner(), self.fresh());
        let customer = company(self.random() % 50_000);
        let terms = json!({"items": [{"sku": "workspace", "quantity": 100}], "seats": 100,
            "servers": 1, "mrr": {"minor": 20_000, "currency": "EUR"},
            "starts_on": "2026-01-01", "ends_on": "2026-12-31"});
        let issued = json!({"order": order, "partner": partner, "customer": customer,
            "model": "subscription", "terms": terms});
        let id = self.fresh();
        self.events("licence", id, &[("LicenceIssued", issued)])
    }

    fn new_deal(&mut self) -> (StreamName, Vec<NewEvent>) {
        let (partner, opportunity) = (self.partner(), self.fresh());
        let drafted = json!({"partner": partner, "customer": company(self.random() % 500_000),
            "product_scope": "suite", "value": {"minor": 5_000_000, "currency": "EUR"},
            "expected_close": "2026-12-01", "rulebook_version": 1});
        let submitted = json!({"submitted_on": "2026-03-01", "submitted_by": "user-1", "opportunities": [opportunity]});
        let protected =
            json!({"from": "2026-03-01", "until": "2026-09-01", "activity_due": "2026-04-01"});
        let id = self.fresh();
        // Partners work on a few hundred thousand deals at most.
        if self.deals.len() < 200_000 {
            self.deals.push(id);
        } else {
            let place = self.random() as usize % self.deals.len();
            self.deals[place] = id;
        }
        let events = [
            ("DealDrafted", drafted),
            ("DealSubmitted", submitted),
            ("DealReviewStarted", json!({})),
            ("DealProtected", protected),
        ];
        self.events("deal", id, &events)
    }

    fn activity(&mut self) -> (StreamName, Vec<NewEvent>) {
        if self.deals.is_empty() {
            return self.new_deal();
        }
        let place = self.random() as usize % self.deals.len();
        let id = self.deals[place];
        let recorded = json!({"activity": "met the customer's head of IT", "on": "2026-03-20",
            "activity_due": "2026-04-20"});
        self.events("deal", id, &[("DealActivityRecorded", recorded)])
    }

    fn fresh(&mut self) -> Uuid {
        let (high, low) = (self.random(), self.random());
        Uuid::from_u64_pair(high, low)
    }

    fn events(
        &mut self,
        category: &str,
        id: Uuid,
        events: &[(&str, Value)],
    ) -> (StreamName, Vec<NewEvent>) {
        let partner = self.partner();
        let events = events.iter().map(|(kind, data)| NewEvent {
            id: self.fresh(),
            kind: (*kind).into(),
            data: Bytes::from(data.to_string()),
            metadata: Bytes::from(metadata(partner, self.step)),
        });
        (StreamName::of(category, id), events.collect())
    }
}

fn partner_id(number: u64) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes())
}

fn company(number: u64) -> Value {
    let company = Company {
        name: format!("Company {:05} Ltd", number % 100_000),
        country: "DE".parse().expect("a country"),
        domain: Some(format!("company-{number}.example")),
        tax_id: None,
    };
    serde_json::to_value(company).expect("a company is JSON")
}

fn metadata(partner: Uuid, step: u64) -> String {
    let command = Uuid::new_v5(&Uuid::NAMESPACE_OID, &step.to_le_bytes());
    let minute = step / 1000;
    let recorded_at = format!(
        "2026-{:02}-{:02}T{:02}:{:02}:00.123456Z",
        minute / 40_320 % 12 + 1,
        minute / 1440 % 28 + 1,
        minute / 60 % 24,
        minute % 60
    );
    json!({"$correlationId": command, "$causationId": command, "program": PROGRAM,
        "partner": partner, "actor": {"subject": format!("user-{}", step % 500), "role": "partner-user",
        "acting_for": partner, "name": {"person": partner, "sealed": "c2VhbGVkIG5hbWUgb2YgYSBwZXJzb24"}},
        "command": {"id": command, "name": "record-activity",
        "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
        "recorded_at": recorded_at, "rulebook_version": 1, "schema_version": 1,
        "previous": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})
    .to_string()
}
