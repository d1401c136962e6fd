//! What the demo says at the end: addresses, a token per role, and requests to try.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

use accord_domain::{Day, PartnerId, ProgramId, Role};
use accord_http::{Claims, Issuer};
use anyhow::Context;

use crate::cli::role_name;

/// The program whose flagship is shown.
const SHOWN: &str = "quazzar";

/// Where the tokens are written, for a shell to read.
const TOKENS_FILE: &str = "tokens.env";

/// The tokens of the demo live for a month.
const TOKEN_SECONDS: u64 = 30 * 86_400;

const ROLES: [Role; 11] = [
    Role::ProgramAdmin,
    Role::ChannelManager,
    Role::ChannelDirector,
    Role::Enablement,
    Role::Finance,
    Role::Marketing,
    Role::Compliance,
    Role::Auditor,
    Role::Reporting,
    Role::PartnerAdmin,
    Role::PartnerUser,
];

/// What is shown, and where.
pub(crate) struct Welcome<'a> {
    pub(crate) data: &'a Path,
    pub(crate) issuer: &'a Issuer,
    pub(crate) address: SocketAddr,
    pub(crate) flagships: &'a [(ProgramId, PartnerId)],
    pub(crate) today: Day,
}

impl Welcome<'_> {
    /// Makes the tokens, writes them for a shell, and puts the text together.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        let shown = self.flagships.iter().find(|(program, _)| program.as_str() == SHOWN);
        let (program, partner) = shown.or(self.flagships.first()).context("the demo is empty")?;
        let tokens = self.tokens(program, *partner)?;
        write_private(&self.data.join(TOKENS_FILE), &tokens)?;
        let base = format!("http://{}", self.address);
        let mut text = String::new();
        writeln!(text, "API      {base}/v1/programs/{program}")?;
        writeln!(text, "Docs     {base}/docs")?;
        writeln!(text, "Metrics  {base}/metrics")?;
        writeln!(text, "\nA token for each role in {program}, valid for 30 days:\n")?;
        writeln!(text, "{tokens}")?;
        let (data, file) = (self.data.display(), self.data.join(TOKENS_FILE));
        writeln!(text, "More of them, also for the other programs:")?;
        writeln!(text, "  accord token --data {data} --program zextras --role auditor --ttl 8h\n")?;
        writeln!(text, "Five requests to try; read the tokens into your shell first:\n")?;
        writeln!(text, "  . {}\n", dotted(&file))?;
        for (title, request) in self.requests(&base, program, *partner) {
            writeln!(text, "# {title}\n{request}\n")?;
        }
        Ok(text)
    }

    fn tokens(&self, program: &ProgramId, partner: PartnerId) -> anyhow::Result<String> {
        let mut lines = String::new();
        for role in ROLES {
            let name = role_name(role);
            let subject = format!("demo-{name}");
            let mut claims = Claims::new(program.clone(), &subject, &subject, TOKEN_SECONDS);
            claims.roles = vec![role];
            claims.partner = role.is_partner().then_some(partner);
            let variable = name.to_uppercase().replace('-', "_");
            writeln!(lines, "{variable}={}", self.issuer.sign(&claims)?)?;
        }
        Ok(lines)
    }

    fn requests(
        &self,
        base: &str,
        program: &ProgramId,
        partner: PartnerId,
    ) -> [(&'static str, String); 5] {
        let starts_on = self.today.plus_days(7);
        let get = |role: &str, path: &str| {
            format!(
                "curl -s -H \"Authorization: Bearer ${role}\" '{base}/v1/programs/{program}/{path}'"
            )
        };
        let post = |path: &str, header: &str, body: &str| {
            format!(
                "curl -s -X POST -H \"Authorization: Bearer $PARTNER_USER\" \
                 -H 'Content-Type: application/json'{header} -d '{body}' \
                 '{base}/v1/programs/{program}/{path}'"
            )
        };
        let wanted = format!(
            "\"request\":{{\"kind\":\"new\",\
             \"customer\":{{\"name\":\"Lighthouse Bakery\",\"country\":\"IT\"}},\
             \"currency\":\"EUR\",\"items\":[{{\"sku\":\"cloud-os-server\",\"quantity\":10}}],\
             \"starts_on\":\"{starts_on}\",\"term_months\":12}}"
        );
        let key = " -H 'Idempotency-Key: my-first-order'";
        [
            (
                "Why does this partner hold its level, what lacks for the next, what is at risk?",
                get("CHANNEL_MANAGER", &format!("partners/{partner}/levels")),
            ),
            (
                "What would ten more servers cost? Every line of the calculation is there",
                post("quotes", "", &format!("{{{wanted}}}")),
            ),
            (
                "Order them; the same key never orders twice",
                post("orders", key, &format!("{{\"payment\":\"invoice\",{wanted}}}")),
            ),
            (
                "Recurring revenue by partner and month, for a spreadsheet",
                get("REPORTING", "reports/revenue?format=csv"),
            ),
            (
                "What happened to the partner, as an auditor sees it",
                get("AUDITOR", &format!("audit/events?partner={partner}&limit=3")),
            ),
        ]
    }
}

/// A path that a shell's `.` takes as a path and not as a name.
fn dotted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains('/') && (text.starts_with('/') || text.starts_with('.')) {
        return text;
    }
    format!("./{text}")
}

/// Tokens are secrets: only their owner reads the file.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file =
        options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(file.write_all(text.as_bytes())?)
}
