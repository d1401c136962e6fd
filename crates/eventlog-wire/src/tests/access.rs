//! Who is let in, what a listener that only lets read refuses, and how it ends.

use std::net::SocketAddr;
use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic::{Code, Request};
use tonic_prost::ProstCodec;

use super::scene::{
    ANY, Client, Scene, event, events, following, identifier, of_all, of_stream, target, trailer,
    within_deadline,
};
use crate::{
    Credentials, Limits, Mode, Setup, SetupError, Tls,
    messages::{
        AllFrom, AppendRequest, BatchOptions, BatchRequest, ClusterInfo, ReadReply, ReadRequest,
        StreamFrom, SupportedMethods, WireUuid,
    },
};

#[tokio::test]
async fn a_listener_that_only_lets_read_refuses_every_write() {
    let scene = Scene::with(Setup::default()).await;
    let batch = BatchRequest {
        correlation: Some(WireUuid::text(uuid::Uuid::new_v4())),
        options: Some(BatchOptions {
            stream: Some(identifier("deal-1")),
            expected: Some(ANY),
            deadline: None,
        }),
        proposed: vec![event()],
        complete: true,
    };
    let refusals = [
        scene.client.append("deal-1", ANY, events(1)).await.unwrap_err(),
        scene.client.batches(vec![batch]).await.unwrap_err(),
        scene.client.end("Delete", "deal-1", ANY).await.unwrap_err(),
        scene.client.end("Tombstone", "deal-1", ANY).await.unwrap_err(),
    ];
    for status in refusals {
        assert_eq!(status.code(), Code::PermissionDenied);
        assert_eq!(trailer(&status, "exception"), "access-denied");
    }
    assert!(scene.stored("deal-1").await.is_empty());
    let new = accord_eventlog::NewEvent {
        id: uuid::Uuid::new_v4(),
        kind: "Sold".into(),
        data: bytes::Bytes::from_static(b"{}"),
        metadata: bytes::Bytes::new(),
    };
    let any = accord_eventlog::ExpectedRevision::Any;
    let stream = "deal-1".parse().unwrap();
    accord_eventlog::EventLog::append(&*scene.log, &stream, any, vec![new]).await.unwrap();
    assert_eq!(scene.client.revisions("deal-1").await, [0]);
}

#[test]
fn an_address_that_others_can_reach_needs_encryption_and_credentials() {
    let (tls, _) = certificate();
    let credentials = Credentials::new("reader", "secret");
    let open: SocketAddr = "0.0.0.0:2113".parse().unwrap();
    let setup = |tls: bool, closed: bool| Setup {
        tls: tls.then(|| certificate().0),
        credentials: closed.then(|| credentials.clone()),
        ..Setup::default()
    };
    for here in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        let here = here.parse().unwrap();
        assert_eq!(setup(false, false).check(here), Ok(()));
        assert_eq!(setup(true, false).check(here), Ok(()));
        assert_eq!(setup(true, true).check(here), Ok(()));
        assert_eq!(setup(false, true).check(here), Err(SetupError::CredentialsInClear));
    }
    for there in ["0.0.0.0:2113", "192.168.0.7:1", "[::]:1", "[2001:db8::1]:1"] {
        let there: SocketAddr = there.parse().unwrap();
        assert_eq!(setup(false, false).check(there), Err(SetupError::Exposed(there)));
        assert_eq!(setup(true, false).check(there), Err(SetupError::Exposed(there)));
        assert_eq!(setup(false, true).check(there), Err(SetupError::CredentialsInClear));
        assert_eq!(setup(true, true).check(there), Ok(()));
    }
    assert!(SetupError::Exposed(open).to_string().contains("0.0.0.0:2113"));
    drop(tls);
}

#[test]
fn only_the_right_user_and_password_are_admitted() {
    let credentials = Credentials::new("reader", "se:cret");
    let header = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
    assert!(credentials.admit(Some(header("reader:se:cret").as_bytes())));
    assert!(credentials.admit(Some(header("reader:se:cret").replace("Basic", "basic").as_bytes())));
    for wrong in ["reader:secret", "Reader:se:cret", "reader:", "", "reader:se:cret "] {
        assert!(!credentials.admit(Some(header(wrong).as_bytes())), "{wrong:?}");
    }
    for wrong in ["", "Basic", "Basic ", "Bearer cmVhZGVyOnNlOmNyZXQ=", "Basic ÿ"] {
        assert!(!credentials.admit(Some(wrong.as_bytes())), "{wrong:?}");
    }
    assert!(!credentials.admit(None));
    assert!(!format!("{credentials:?}").contains("cret"));
}

/// A certificate for `localhost`, as a server and as a client use it.
fn certificate() -> (Tls, Certificate) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem();
    let tls = Tls::from_pem(pem.as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    (tls, Certificate::from_pem(pem))
}

#[test]
fn files_that_are_no_certificate_or_no_key_are_refused() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let other_key = other.signing_key.serialize_pem();
    let refused = |certificate: &str, key: &str| {
        Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err()
    };
    assert!(matches!(refused("", &key), SetupError::Certificate(_)));
    assert!(matches!(refused(&certificate, ""), SetupError::Key(_)));
    assert!(matches!(refused(&certificate, &other_key), SetupError::Key(_)));
}

#[tokio::test]
async fn over_tls_only_who_knows_the_password_may_call() {
    let (tls, trusted) = certificate();
    let credentials = Some(Credentials::new("reader", "secret"));
    let setup = Setup { mode: Mode::Full, tls: Some(tls), credentials, ..Setup::default() };
    let scene = Scene::with(setup).await;
    let config = ClientTlsConfig::new().ca_certificate(trusted).domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{}", scene.address)).unwrap();
    let client = Client(endpoint.tls_config(config).unwrap().connect_lazy());

    let methods: SupportedMethods = client
        .unary(Client::path("server_features.ServerFeatures", "GetSupportedMethods"), ())
        .await
        .unwrap();
    assert!(methods.methods.iter().any(|method| method.method == "batchappend"));
    let status = client.append("deal-1", ANY, events(1)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let follow = following(of_all(AllFrom::Start(()), 0));
    assert_eq!(client.read(follow).await.unwrap_err().code(), Code::Unauthenticated);

    for (password, expected) in [("wrong", Code::Unauthenticated), ("secret", Code::Ok)] {
        let options = of_stream("deal-1", StreamFrom::Start(()), 10);
        let mut request = Request::new(ReadRequest { options: Some(options) });
        let header = format!("Basic {}", BASE64_STANDARD.encode(format!("reader:{password}")));
        request.metadata_mut().insert("authorization", header.parse().unwrap());
        let path = Client::path("streams.Streams", "Read");
        let codec = ProstCodec::<ReadRequest, ReadReply>::default();
        let call = client.grpc().await.server_streaming(request, path, codec).await;
        assert_eq!(call.map_or_else(|status| status.code(), |_| Code::Ok), expected, "{password}");
    }
    let plain = scene.client.append("deal-1", ANY, events(1)).await;
    assert!(plain.is_err(), "nobody speaks without encryption");
}

#[tokio::test]
async fn clients_learn_what_is_there_before_they_begin() {
    let scene = Scene::full().await;
    let methods: SupportedMethods = scene
        .client
        .unary(Client::path("server_features.ServerFeatures", "GetSupportedMethods"), ())
        .await
        .unwrap();
    let version: Vec<u32> =
        methods.server_version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(version >= vec![23, 10, 0]);
    let cluster: ClusterInfo =
        scene.client.unary(Client::path("gossip.Gossip", "Read"), ()).await.unwrap();
    let node = &cluster.members[0];
    assert_eq!((cluster.members.len(), node.state, node.is_alive), (1, 8, true));
    let endpoint = node.endpoint.as_ref().unwrap();
    assert_eq!(endpoint.host, scene.address.ip().to_string());
    assert_eq!(endpoint.port, u32::from(scene.address.port()));

    let service = "persistent_subscriptions.PersistentSubscriptions";
    let none: Result<(), _> = scene.client.unary(Client::path(service, "List"), ()).await;
    assert!(none.is_ok());
    for (service, method) in
        [(service, "Create"), ("streams.Streams", "Rename"), ("users.Users", "Create")]
    {
        let refused = scene.client.unary::<(), ()>(Client::path(service, method), ()).await;
        assert_eq!(refused.unwrap_err().code(), Code::Unimplemented, "{service} {method}");
    }
}

#[tokio::test]
async fn a_closed_log_is_unavailable() {
    let scene = Scene::full().await;
    scene.log.close().await;
    let status = scene.client.append("deal-1", ANY, events(1)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let status = scene.client.end("Delete", "deal-1", ANY).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_running_append_ends_before_the_listener_does() {
    let scene = Scene::full().await;
    let (messages, incoming) = tokio::sync::mpsc::channel(4);
    let first = AppendRequest { target: Some(target("deal-1", ANY)), proposed: None };
    messages.send(first).await.unwrap();
    let client = scene.client.clone();
    let call = tokio::spawn(async move {
        let incoming = Request::new(tokio_stream::wrappers::ReceiverStream::new(incoming));
        let path = Client::path("streams.Streams", "Append");
        let codec = ProstCodec::<AppendRequest, crate::messages::AppendReply>::default();
        client.grpc().await.client_streaming(incoming, path, codec).await
    });
    // The call has reached the listener once its first message was taken from the channel.
    within_deadline(messages.reserve_many(4)).await.unwrap();
    let _: SupportedMethods = scene
        .client
        .unary(Client::path("server_features.ServerFeatures", "GetSupportedMethods"), ())
        .await
        .unwrap();
    scene.stop.send(true).unwrap();
    messages.send(AppendRequest { target: None, proposed: Some(event()) }).await.unwrap();
    drop(messages);
    assert!(within_deadline(call).await.unwrap().is_ok());
    within_deadline(scene.serving).await.unwrap();
    let stream = "deal-1".parse().unwrap();
    let forward = accord_eventlog::Direction::Forward;
    let log: &dyn accord_eventlog::EventLog = &*scene.log;
    assert_eq!(log.read_stream(&stream, forward, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn calls_that_do_not_end_are_cut_off_after_the_drain_time() {
    let limits = Limits { drain_time_max: Duration::from_millis(50), ..Limits::default() };
    let scene = Scene::limited(limits).await;
    let (_messages, incoming) = tokio::sync::mpsc::channel::<AppendRequest>(1);
    let client = scene.client.clone();
    let call = tokio::spawn(async move {
        let incoming = Request::new(tokio_stream::wrappers::ReceiverStream::new(incoming));
        let path = Client::path("streams.Streams", "Append");
        let codec = ProstCodec::<AppendRequest, crate::messages::AppendReply>::default();
        client.grpc().await.client_streaming(incoming, path, codec).await
    });
    scene.client.append("deal-1", ANY, events(1)).await.unwrap();
    scene.stop.send(true).unwrap();
    within_deadline(scene.serving).await.unwrap();
    assert!(within_deadline(call).await.unwrap().is_err());
}

#[tokio::test]
async fn a_connection_that_never_calls_is_closed() {
    let limits = Limits { greeting_time_max: Duration::from_millis(50), ..Limits::default() };
    let scene = Scene::limited(limits).await;
    let mut silent = TcpStream::connect(scene.address).await.unwrap();
    let mut said = Vec::new();
    within_deadline(silent.read_to_end(&mut said)).await.unwrap();
    scene.client.append("deal-1", ANY, events(1)).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_never_calls_does_not_hold_up_the_end() {
    let hour = Duration::from_secs(3600);
    let limits = Limits { greeting_time_max: hour, drain_time_max: hour, ..Limits::default() };
    for tls in [None, Some(certificate().0)] {
        let setup = Setup { tls, limits: limits.clone(), ..Setup::default() };
        let scene = Scene::with(setup).await;
        let mut silent = TcpStream::connect(scene.address).await.unwrap();
        scene.stop.send(true).unwrap();
        within_deadline(scene.serving).await.unwrap();
        let mut said = Vec::new();
        // Closed in good order, or reset where it had not been accepted yet.
        let _ = within_deadline(silent.read_to_end(&mut said)).await;
    }
}

#[tokio::test]
async fn more_connections_than_allowed_wait_their_turn() {
    let limits = Limits { connections_max: 1, ..Limits::default() };
    let scene = Scene::limited(limits).await;
    let first = TcpStream::connect(scene.address).await.unwrap();
    let client = scene.client.clone();
    let waiting = tokio::spawn(async move { client.append("deal-1", ANY, events(1)).await });
    // The second connection cannot be served while the first one is there.
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(first);
    within_deadline(waiting).await.unwrap().unwrap();
}
