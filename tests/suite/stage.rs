//! A program to play in: its rulebook published, its people at hand, its partners made on demand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use accord_domain::{Day, PartnerId, ProgramId, Role};
use accord_http::{Claims, Issuer};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Answer, Caller};
use crate::server::Site;

pub(crate) const QUAZZAR: &str = include_str!("../../ops/programs/quazzar.toml");
pub(crate) const ZEXTRAS: &str = include_str!("../../ops/programs/zextras.toml");
pub(crate) const OPEN_XCHANGE: &str = include_str!("../../ops/programs/open-xchange.toml");

/// One program on a server.
pub(crate) struct Stage {
    pub(crate) program: ProgramId,
    http: reqwest::Client,
    url: String,
    issuer: Issuer,
    seen: Arc<AtomicU64>,
    /// Keeps the shared server alive.
    _site: Option<Arc<Site>>,
}

impl Stage {
    /// A program of its own on the shared server, under the rules of a shipped rulebook.
    pub(crate) async fn open(rulebook: &str) -> Self {
        let site = Site::shared();
        let mut stage = Self::unpublished(&site);
        stage._site = Some(site);
        stage.publish(rulebook).await;
        stage
    }

    /// The same on a given server.
    pub(crate) async fn on(site: &Site, rulebook: &str) -> Self {
        let stage = Self::unpublished(site);
        stage.publish(rulebook).await;
        stage
    }

    /// A program of its own on the shared server, without a rulebook yet.
    pub(crate) fn empty() -> Self {
        let site = Site::shared();
        Self { _site: Some(site.clone()), ..Self::unpublished(&site) }
    }

    fn unpublished(site: &Site) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let program = format!("program-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Self {
            program: program.parse().unwrap(),
            http: reqwest::Client::new(),
            url: site.url().to_owned(),
            issuer: site.issuer().clone(),
            seen: Arc::new(AtomicU64::new(0)),
            _site: None,
        }
    }

    /// The same program after its server was started again.
    pub(crate) fn moved_to(self, site: &Site) -> Self {
        Self { url: site.url().to_owned(), http: reqwest::Client::new(), ..self }
    }

    /// A shipped rulebook's text under this program's name.
    pub(crate) fn renamed(&self, rulebook: &str) -> String {
        let line = rulebook.lines().find(|line| line.starts_with("program = ")).unwrap();
        rulebook.replacen(line, &format!("program = \"{}\"", self.program), 1)
    }

    async fn publish(&self, rulebook: &str) {
        self.draft(&self.renamed(rulebook)).await.done();
        self.director().post("rulebooks/1/approve", json!({})).await.done();
        let today = json!({ "effective_on": today() });
        self.admin().post("rulebooks/1/announce", today).await.done();
    }

    /// Drafts a version from TOML.
    pub(crate) async fn draft(&self, toml: &str) -> Answer {
        let admin = self.admin();
        let request = admin.request(Method::POST, "rulebooks");
        admin.send(request.header(CONTENT_TYPE, "application/toml").body(toml.to_owned())).await
    }

    /// The server's own address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A caller with claims of any kind.
    pub(crate) fn bearer(&self, claims: &Claims) -> Caller {
        Caller {
            http: self.http.clone(),
            base: format!("{}/v1/programs/{}", self.url, self.program),
            token: self.issuer.sign(claims).unwrap(),
            seen: self.seen.clone(),
        }
    }

    /// A token's claims in this program, valid for an hour.
    pub(crate) fn claims(&self, subject: &str, roles: &[Role], partner: Option<Uuid>) -> Claims {
        let name = format!("{subject} of {}", self.program);
        let mut claims = Claims::new(self.program.clone(), subject, &name, 3_600);
        claims.roles = roles.to_vec();
        claims.partner = partner.map(PartnerId);
        claims
    }

    /// One of the vendor's people.
    pub(crate) fn staff(&self, subject: &str, role: Role) -> Caller {
        self.bearer(&self.claims(subject, &[role], None))
    }

    pub(crate) fn admin(&self) -> Caller {
        self.staff("ann", Role::ProgramAdmin)
    }

    pub(crate) fn director(&self) -> Caller {
        self.staff("dirk", Role::ChannelDirector)
    }

    pub(crate) fn manager(&self) -> Caller {
        self.staff("mia", Role::ChannelManager)
    }

    pub(crate) fn enablement(&self) -> Caller {
        self.staff("eve", Role::Enablement)
    }

    pub(crate) fn finance(&self) -> Caller {
        self.staff("finn", Role::Finance)
    }

    pub(crate) fn auditor(&self) -> Caller {
        self.staff("otto", Role::Auditor)
    }

    /// A partner's administrator.
    pub(crate) fn partner_admin(&self, partner: Uuid) -> Caller {
        let subject = format!("admin-of-{partner}");
        self.bearer(&self.claims(&subject, &[Role::PartnerAdmin], Some(partner)))
    }

    /// A partner's sales person.
    pub(crate) fn seller(&self, partner: Uuid) -> Caller {
        let subject = format!("seller-of-{partner}");
        self.bearer(&self.claims(&subject, &[Role::PartnerUser], Some(partner)))
    }

    /// Adds a partner at a level, where administrators add partners.
    pub(crate) async fn add_partner(&self, name: &str, level: &str) -> Uuid {
        let body = json!({
            "command": "add", "company": company(name), "track": "partner", "level": level,
            "contacts": [contact("sales", name)],
        });
        self.manager().post("partners", body).await.id()
    }

    /// Brings a company from its application to its signed agreement, where that is the way in.
    pub(crate) async fn admit_partner(&self, name: &str) -> Uuid {
        let manager = self.manager();
        let body = json!({
            "command": "apply", "company": company(name), "track": "partner",
            "contacts": [contact("sales", name), contact("technical", name)],
        });
        let partner = manager.post("partners", body).await.id();
        for criterion in ["technical-capability", "commercial-alignment", "readiness"] {
            let body = json!({ "criterion": criterion, "met": true, "note": "seen on site" });
            manager.post(&format!("partners/{partner}/record-evaluation"), body).await.done();
        }
        manager.post(&format!("partners/{partner}/approve"), json!({})).await.done();
        let body = json!({ "signed_on": today() });
        manager.post(&format!("partners/{partner}/sign-agreement"), body).await.done();
        partner
    }

    /// Issues a certificate that ends on a day.
    pub(crate) async fn certify(&self, partner: Uuid, code: &str, expires_on: Day) -> Uuid {
        let body = json!({
            "partner": partner, "certification": code,
            "holder": { "name": "Ada Bianchi", "email": "ada.bianchi@example.org" },
            "issued_on": expires_on.minus_days(400).min(today()), "expires_on": expires_on,
        });
        self.enablement().post("certificates", body).await.id()
    }

    /// Drafts a deal as a partner's sales person.
    pub(crate) async fn draft_deal(&self, partner: Uuid, customer: &Value, scope: &str) -> Uuid {
        let body = deal(partner, customer, scope);
        self.seller(partner).post("deals", body).await.id()
    }

    /// Sells a new licence, paid for at once. Returns the order's id and the licence's.
    pub(crate) async fn sell(&self, partner: Uuid, items: Value, payment: &str) -> (Uuid, Uuid) {
        let body = order(partner, items, payment);
        let order = self.seller(partner).post("orders", body).await.id();
        self.pay(order).await;
        let placed = self.finance().get(&format!("orders/{order}")).await.done();
        (order, crate::client::id_in(&placed["licence"]))
    }

    /// Records the payment of an order.
    pub(crate) async fn pay(&self, order: Uuid) {
        let body = json!({ "paid_on": today(), "reference": "INV-2026-0042" });
        self.finance().post(&format!("orders/{order}/complete"), body).await.done();
    }
}

/// Today, as the server reckons.
pub(crate) fn today() -> Day {
    Day::of_instant(chrono::Utc::now())
}

/// A company of a name.
pub(crate) fn company(name: &str) -> Value {
    json!({ "name": name, "country": "IT" })
}

/// A contact at a company; its address is unique to the company and the role.
pub(crate) fn contact(role: &str, company: &str) -> Value {
    json!({ "role": role, "person": { "name": format!("Carla {role}"), "email": email(role, company) } })
}

/// The address of a contact.
pub(crate) fn email(role: &str, company: &str) -> String {
    format!("{role}@{}.example", company.to_lowercase().replace(' ', "-"))
}

/// A deal to register.
pub(crate) fn deal(partner: Uuid, customer: &Value, scope: &str) -> Value {
    json!({
        "partner": partner, "customer": customer, "product_scope": scope,
        "value": { "minor": 4_800_000, "currency": "EUR" }, "expected_close": today().plus_days(60),
    })
}

/// An order of a new licence for a year from today.
pub(crate) fn order(partner: Uuid, items: Value, payment: &str) -> Value {
    json!({ "partner": partner, "payment": payment, "request": new_licence(items) })
}

/// A new licence for a year from today.
pub(crate) fn new_licence(items: Value) -> Value {
    json!({
        "kind": "new", "customer": company("Ospedale Maggiore"), "currency": "EUR",
        "items": items, "starts_on": today(), "term_months": 12,
    })
}
