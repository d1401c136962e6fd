//! From a request to a command: authenticate, authorise, read, carry out, answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use accord_app::{Call, command_id, program_stream_id};
use accord_domain::{CommandId, ProgramId, Role};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::caller::Caller;
use crate::commands::{CommandRoute, Target, answer::answer, commands};
use crate::{Http, body, problem::Problem};

const KEY_BYTES_MAX: usize = 255;

/// Routes of all commands in the table.
pub(crate) fn routes() -> Router<Arc<Http>> {
    let mut collections: Vec<&'static str> =
        commands().iter().map(|route| route.collection).collect();
    collections.sort_unstable();
    collections.dedup();
    collections.into_iter().fold(Router::new(), |router, collection| {
        let path = format!("/v1/programs/{{program}}/{collection}");
        let create = move |state: State<Arc<Http>>, path: Path<String>, request: Request| {
            let target = (path.0, String::new(), None);
            async move { handle(&state, collection, target, request).await }
        };
        let command = move |state: State<Arc<Http>>,
                            path: Path<(String, String, String)>,
                            request: Request| {
            let Path((program, id, name)) = path;
            async move { handle(&state, collection, (program, id, Some(name)), request).await }
        };
        let router = if commands().iter().any(|row| row.creates && row.collection == collection) {
            router.route(&path, post(create))
        } else {
            router
        };
        router.route(&format!("{path}/{{id}}/{{command}}"), post(command))
    })
}

/// Names of the commands that a resource of a collection takes.
pub(crate) fn targets(collection: &str) -> Vec<&'static str> {
    let rows = commands().iter().filter(|row| row.collection == collection && !row.creates);
    rows.map(|row| row.name).collect()
}

async fn handle(
    http: &Arc<Http>,
    collection: &'static str,
    target: (String, String, Option<String>),
    request: Request,
) -> Response {
    match try_handle(http, collection, target, request).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn try_handle(
    http: &Arc<Http>,
    collection: &'static str,
    (program, id, name): (String, String, Option<String>),
    request: Request,
) -> Result<Response, Problem> {
    let (parts, payload) = request.into_parts();
    let caller = Caller::authenticate(http, &parts.headers)?;
    let founds = collection == "rulebooks" && name.is_none();
    let program =
        if founds { caller.enter(&program)? } else { http.enter(&caller, &program).await? };
    let path = parts.uri.path();
    let rows = candidates(collection, name.as_deref())?;
    // Before the body is looked at: whoever may do none of it learns nothing more.
    let allowed: BTreeSet<Role> = rows.iter().flat_map(|row| row.roles).copied().collect();
    caller.role(&Vec::from_iter(allowed))?;
    body::no_query(&parts.uri)?;
    let payload = http.read_body(&parts.headers, payload, collection == "rulebooks").await?;
    let (route, text) = resolve(&rows, &parts.headers, payload)?;
    let role = caller.role(route.roles)?;
    let call = call(&caller, (program.clone(), role), route, &parts.headers, (path, &text))?;
    let target = target_of(&call, route, id)?;
    http.count_command(route);
    let outcome = (route.run)(http.clone(), target, text, call).await?;
    let location = match (route.creates, collection) {
        (false, _) => None,
        (true, "rulebooks") => {
            Some(format!("{path}/{}", http.drafted_version(&program, &outcome).await?))
        }
        (true, _) => Some(format!("{path}/{}", outcome.id)),
    };
    Ok(answer(&outcome, location))
}

/// The rows that a request may mean: one, or all ways to create, of which the body names one.
fn candidates(collection: &str, name: Option<&str>) -> Result<Vec<&'static CommandRoute>, Problem> {
    let rows = commands().iter().filter(|row| row.collection == collection);
    let Some(name) = name else { return Ok(rows.filter(|row| row.creates).collect()) };
    let found: Vec<_> = rows.filter(|row| !row.creates && row.name == name).collect();
    if found.is_empty() {
        let detail = format!("`{collection}` has no command `{name}`");
        return Err(Problem::new("not-found", detail).with("commands", targets(collection)));
    }
    Ok(found)
}

/// The row that is meant, and the JSON text of the command's fields.
fn resolve(
    rows: &[&'static CommandRoute],
    headers: &HeaderMap,
    payload: Bytes,
) -> Result<(&'static CommandRoute, Bytes), Problem> {
    if let [only] = rows {
        return Ok((only, text_of(only, headers, payload)?));
    }
    let (name, text) = named_command(headers, &payload)?;
    let row = rows.iter().find(|row| row.name == name).ok_or_else(|| {
        let known: Vec<_> = rows.iter().map(|row| row.name).collect();
        body::invalid_field("command", &format!("`{name}` is none of {}", known.join(", ")))
    })?;
    Ok((row, text))
}

/// A rulebook may come as TOML and is read by its runner; everything else is JSON.
fn text_of(row: &CommandRoute, headers: &HeaderMap, payload: Bytes) -> Result<Bytes, Problem> {
    if row.collection == "rulebooks" && row.creates {
        let rulebook = body::read_rulebook(headers, &payload)?;
        let text = serde_json::to_vec(&rulebook).map_err(|error| Problem::internal(&error))?;
        return Ok(text.into());
    }
    let text = body::json_text(headers, &payload)?;
    if text.len() == payload.len() { Ok(payload) } else { Ok(Bytes::copy_from_slice(text)) }
}

/// Where a collection is created in several ways, the body's field `command` says which.
fn named_command(headers: &HeaderMap, payload: &Bytes) -> Result<(String, Bytes), Problem> {
    let text = body::json_text(headers, payload)?;
    let mut fields: serde_json::Map<String, serde_json::Value> = body::read(text)?;
    match fields.remove("command") {
        Some(serde_json::Value::String(name)) => {
            let text = serde_json::to_vec(&fields).map_err(|error| Problem::internal(&error))?;
            Ok((name, text.into()))
        }
        _ => Err(body::invalid_field("command", "says how the resource is created")),
    }
}

fn call(
    caller: &Caller,
    (program, role): (ProgramId, Role),
    route: &CommandRoute,
    headers: &HeaderMap,
    (path, text): (&str, &Bytes),
) -> Result<Call, Problem> {
    let command_id = match idempotency_key(headers)? {
        Some(key) => command_id(&program, &caller.claims.sub, key),
        None => CommandId(Uuid::now_v7()),
    };
    let digest = Sha256::new().chain_update(path).chain_update([0]).chain_update(text);
    Ok(Call {
        program,
        actor: caller.actor(role),
        command_id,
        command: route.name.to_owned(),
        digest: digest.finalize().into(),
        correlation: command_id.0,
        causation: command_id.0,
        if_match: if_match(headers)?,
        reason: reason(text),
    })
}

fn target_of(call: &Call, route: &CommandRoute, text: String) -> Result<Target, Problem> {
    let id = match (route.collection, route.creates) {
        ("rulebooks", _) => program_stream_id(&call.program),
        // A partner's own people apply under the id that their token carries.
        ("partners", true) => {
            call.actor.acting_for.map_or_else(|| call.created_id(), |partner| partner.0)
        }
        (_, true) => call.created_id(),
        (_, false) => text.parse().map_err(|_| Problem::not_found())?,
    };
    Ok(Target { id, text })
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.trim().is_empty() && key.len() <= KEY_BYTES_MAX => Ok(Some(key)),
        _ => Err(Problem::new(
            "malformed-request",
            format!("`Idempotency-Key` is 1 to {KEY_BYTES_MAX} visible ASCII characters"),
        )),
    }
}

fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let tag = value.to_str().ok().and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
    let revision = tag.and_then(|tag| tag.parse().ok());
    revision.map(Some).ok_or_else(|| {
        Problem::new("malformed-request", "`If-Match` is one revision in quotes, such as \"4\"")
    })
}

/// The reason inside the body, for the events' metadata.
fn reason(text: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Reason {
        reason: Option<String>,
    }
    serde_json::from_slice::<Reason>(text).ok()?.reason
}
