//! The service around the program: its document, its documentation, its health, its patience.

use std::time::{Duration, Instant};

use accord_http::problem::CODES;
use futures::future::join_all;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Answer;
use crate::server::{Site, accord};
use crate::stage::{QUAZZAR, Stage};
use crate::tidy::root;

/// Longer than any limit that these tests set.
const PATIENCE: Duration = Duration::from_secs(30);

async fn fetch(url: String) -> Answer {
    Answer::of(reqwest::get(url).await.unwrap()).await
}

#[tokio::test]
async fn the_served_openapi_document_is_the_one_that_the_command_prints_and_the_repository_keeps() {
    let stage = Stage::open(QUAZZAR).await;
    let served = fetch(format!("{}/openapi.json", stage.url())).await.done();
    let printed = accord(["openapi"]);
    assert!(printed.status.success());
    assert_eq!(serde_json::from_slice::<Value>(&printed.stdout).unwrap(), served);
    let path = root().join("schemas/openapi.json");
    if std::env::var_os("ACCORD_UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &printed.stdout).unwrap();
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert!(kept == served, "schemas/openapi.json is old; run once with ACCORD_UPDATE_SCHEMAS=1");
}

#[tokio::test]
async fn every_reference_in_the_document_resolves_and_every_path_is_served() {
    let stage = Stage::open(QUAZZAR).await;
    let document = fetch(format!("{}/openapi.json", stage.url())).await.done();
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 100, "only {} references", references.len());
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("references stay in the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.keys().any(|path| path.ends_with("/quotes")), "quotes are not described");
    for (path, methods) in paths {
        let url = path.replace("{program}", stage.program.as_str()).replace("{id}", "x");
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase().parse().unwrap();
            let request = reqwest::Client::new().request(method, format!("{}{url}", stage.url()));
            let answer = Answer::of(request.send().await.unwrap()).await;
            assert!(matches!(answer.status, 200 | 401), "{path}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn the_document_names_every_code_of_a_problem_and_the_parameters_that_reads_share() {
    let stage = Stage::open(QUAZZAR).await;
    let document = fetch(format!("{}/openapi.json", stage.url())).await.done();
    for (code, ..) in CODES {
        assert!(document["components"]["examples"][code].is_object(), "{code} has no example");
    }
    let parameters = |path: &str| {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        let names = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let partner = parameters("/v1/programs/{program}/partners/{id}");
    for name in ["min_position", "as_of", "at_position"] {
        assert!(partner.iter().any(|known| known == name), "{name}: {partner:?}");
    }
    let report = parameters("/v1/programs/{program}/reports/revenue");
    assert!(report.contains(&"format".to_owned()), "{report:?}");
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            found.extend(reference.map(str::to_owned));
            fields.values().for_each(|value| collect(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_documentation_comes_with_the_binary_and_needs_nothing_from_outside() {
    let stage = Stage::open(QUAZZAR).await;
    let page = fetch(format!("{}/docs/", stage.url())).await;
    assert_eq!(page.status, 200);
    let quoted = page.text.split('"');
    let assets: Vec<&str> =
        quoted.filter(|text| text.ends_with(".js") || text.ends_with(".css")).collect();
    assert!(assets.len() >= 3, "{}", page.text);
    for asset in assets {
        assert!(!asset.contains("//"), "{asset} comes from outside");
        let asset = asset.trim_start_matches("./");
        let found = fetch(format!("{}/docs/{asset}", stage.url())).await;
        assert!(found.status == 200 && !found.text.is_empty(), "{asset}");
        if asset.contains("initializer") {
            assert!(found.text.contains("/openapi.json"), "{}", found.text);
            assert!(found.text.contains("\"validatorUrl\": \"none\""), "{}", found.text);
        }
    }
}

#[tokio::test]
async fn health_readiness_and_metrics_are_open_and_tell_how_things_are() {
    let stage = Stage::open(QUAZZAR).await;
    stage.add_partner("Nube Srl", "silver").await;
    let at = |path: &str| fetch(format!("{}{path}", stage.url()));
    assert_eq!(at("/healthz").await.text, "ok\n");
    let ready = at("/readyz").await.done();
    assert_eq!((&ready["ready"], &ready["quarantined"]), (&true.into(), &0.into()));
    let metrics = at("/metrics").await.text;
    let counted = "accord_commands_total{collection=\"partners\",command=\"add\"}";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(metrics.contains("accord_log_head_position "), "{metrics}");
    let route = "method=\"POST\",path=\"/v1/programs/{program}/partners\"";
    assert!(metrics.contains(&format!("accord_http_requests_total{{{route},status=\"2xx\"}}")));
    let fast = format!("accord_http_request_seconds_bucket{{{route},le=\"5\"}}");
    assert!(metrics.contains(&fast), "{metrics}");
    assert!(metrics.contains("accord_views_lag_positions "), "{metrics}");
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_headers_is_cut_off() {
    let site = Site::start(&["--header-time-max", "1s"]);
    let address = site.url().strip_prefix("http://").unwrap().to_owned();
    let mut half = TcpStream::connect(&address).await.unwrap();
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: acc").await.unwrap();
    let mut silent = TcpStream::connect(&address).await.unwrap();
    let started = Instant::now();
    for stream in [&mut half, &mut silent] {
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        // Reset or ended: either way the connection is gone.
        let _ = closed.expect("the connection stays open");
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
    assert!(started.elapsed() >= Duration::from_millis(500), "cut off without any time");
    assert_eq!(fetch(format!("{}/healthz", site.url())).await.status, 200);
}

#[tokio::test]
async fn a_caller_past_its_rate_is_told_to_wait_and_others_are_not() {
    let site = Site::start(&["--requests-per-second-max", "60"]);
    let stage = Stage::on(&site, QUAZZAR).await;
    let (manager, auditor) = (stage.manager(), stage.auditor());
    let burst = join_all((0..400).map(|_| manager.get("deal-board"))).await;
    let refused: Vec<_> = burst.iter().filter(|answer| answer.status != 200).collect();
    assert!(!refused.is_empty() && refused.len() < burst.len(), "{} refused", refused.len());
    for answer in refused {
        answer.refused(429, "rate-limited");
        assert_eq!(answer.header("retry-after"), "1");
    }
    auditor.get("deal-board").await.done();
}

#[tokio::test]
async fn a_server_takes_no_more_connections_than_it_is_told_and_goes_on_when_one_ends() {
    let site = Site::start(&["--connections-max", "2"]);
    let address = site.url().strip_prefix("http://").unwrap().to_owned();
    let held =
        [TcpStream::connect(&address).await.unwrap(), TcpStream::connect(&address).await.unwrap()];
    let waiting = tokio::spawn(fetch(format!("{}/healthz", site.url())));
    tokio::task::yield_now().await;
    drop(held);
    let answer = tokio::time::timeout(PATIENCE, waiting).await.expect("it never came").unwrap();
    assert_eq!(answer.status, 200);
}
