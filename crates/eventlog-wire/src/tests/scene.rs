//! A listener on a log of its own, a client, and sample messages.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use accord_eventlog::{EventLog, StreamName};
use accord_eventlog_sqlite::SqliteEventLog;
use bytes::Bytes;
use http::uri::PathAndQuery;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming, client::Grpc};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use crate::{
    Limits, Listener, Mode, Setup,
    messages::{
        AllFrom, AllOptions, AppendReply, AppendRequest, AppendResult, AppendTarget, BatchReply,
        BatchRequest, ChangeReply, ChangeRequest, Conflict, Content, CountOption, Expected,
        FilterOption, FilterOptions, Placed, Property, Proposed, ReadOptions, ReadReply,
        ReadRequest, Recorded, StreamFrom, StreamIdentifier, StreamOption, StreamOptions, WireUuid,
    },
};

/// Longer than anything takes on a busy machine; only a broken listener waits so long.
const DEADLINE: Duration = Duration::from_secs(60);

pub(super) const ANY: Expected = Expected::Any(());
pub(super) const NO_STREAM: Expected = Expected::NoStream(());
pub(super) const STREAM_EXISTS: Expected = Expected::StreamExists(());

pub(super) fn at(revision: u64) -> Expected {
    Expected::Revision(revision)
}

/// Everything of one test.
pub(super) struct Scene {
    pub(super) log: Arc<SqliteEventLog>,
    pub(super) address: SocketAddr,
    pub(super) client: Client,
    pub(super) stop: watch::Sender<bool>,
    pub(super) serving: JoinHandle<()>,
    _directory: TempDir,
}

impl Scene {
    /// A listener that lets everything through.
    pub(super) async fn full() -> Self {
        Self::with(Setup { mode: Mode::Full, ..Setup::default() }).await
    }

    pub(super) async fn with(setup: Setup) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = Arc::new(SqliteEventLog::open(&directory.path().join("log.db")).unwrap());
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let listener = Listener::new(tcp, log.clone(), setup).unwrap();
        let serving = tokio::spawn(listener.serve(stopped));
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
        Self { log, address, client: Client(channel), stop, serving, _directory: directory }
    }

    /// A listener with other bounds.
    pub(super) async fn limited(limits: Limits) -> Self {
        Self::with(Setup { mode: Mode::Full, limits, ..Setup::default() }).await
    }

    /// What the log itself holds of a stream.
    pub(super) async fn stored(&self, name: &str) -> Vec<accord_eventlog::RecordedEvent> {
        let stream = StreamName::including_system(name).unwrap();
        let forward = accord_eventlog::Direction::Forward;
        self.log.read_stream(&stream, forward, None, 100_000).await.unwrap()
    }
}

/// Fails the test instead of waiting for ever.
pub(super) async fn within_deadline<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("an answer before the deadline")
}

/// One connection.
#[derive(Clone)]
pub(super) struct Client(pub(super) Channel);

impl Client {
    pub(super) fn path(service: &str, method: &str) -> PathAndQuery {
        format!("/event_store.client.{service}/{method}").parse().unwrap()
    }

    pub(super) async fn grpc(&self) -> Grpc<Channel> {
        let mut grpc = Grpc::new(self.0.clone()).max_decoding_message_size(20 * 1024 * 1024);
        within_deadline(grpc.ready()).await.unwrap();
        grpc
    }

    pub(super) async fn unary<A, B>(&self, path: PathAndQuery, message: A) -> Result<B, Status>
    where
        A: prost::Message + 'static,
        B: prost::Message + Default + 'static,
    {
        let call =
            self.grpc().await.unary(Request::new(message), path, ProstCodec::default()).await;
        call.map(tonic::Response::into_inner)
    }

    pub(super) async fn append(
        &self,
        stream: &str,
        expected: Expected,
        events: Vec<Proposed>,
    ) -> Result<AppendResult, Status> {
        let first = AppendRequest { target: Some(target(stream, expected)), proposed: None };
        let rest =
            events.into_iter().map(|event| AppendRequest { target: None, proposed: Some(event) });
        self.append_messages(std::iter::once(first).chain(rest).collect()).await
    }

    pub(super) async fn append_messages(
        &self,
        messages: Vec<AppendRequest>,
    ) -> Result<AppendResult, Status> {
        let messages = Request::new(tokio_stream::iter(messages));
        let path = Self::path("streams.Streams", "Append");
        let codec = ProstCodec::<AppendRequest, AppendReply>::default();
        let call = self.grpc().await.client_streaming(messages, path, codec).await?;
        Ok(call.into_inner().result.expect("an answer has a result"))
    }

    /// An append that lands.
    pub(super) async fn write(
        &self,
        stream: &str,
        expected: Expected,
        events: Vec<Proposed>,
    ) -> Placed {
        match self.append(stream, expected, events).await {
            Ok(AppendResult::Success(placed)) => placed,
            other => panic!("expected a place, got {other:?}"),
        }
    }

    /// An append that finds another revision than expected.
    pub(super) async fn conflict(
        &self,
        stream: &str,
        expected: Expected,
        events: Vec<Proposed>,
    ) -> Conflict {
        match self.append(stream, expected, events).await {
            Ok(AppendResult::Conflict(conflict)) => conflict,
            other => panic!("expected a conflict, got {other:?}"),
        }
    }

    pub(super) async fn batches(
        &self,
        parts: Vec<BatchRequest>,
    ) -> Result<Streaming<BatchReply>, Status> {
        let parts = Request::new(tokio_stream::iter(parts));
        let path = Self::path("streams.Streams", "BatchAppend");
        let call = self.grpc().await.streaming(parts, path, ProstCodec::default()).await;
        call.map(tonic::Response::into_inner)
    }

    pub(super) async fn end(
        &self,
        method: &str,
        stream: &str,
        expected: Expected,
    ) -> Result<ChangeReply, Status> {
        let request = ChangeRequest { target: Some(target(stream, expected)) };
        self.unary(Self::path("streams.Streams", method), request).await
    }

    pub(super) async fn read(&self, options: ReadOptions) -> Result<Streaming<ReadReply>, Status> {
        let request = Request::new(ReadRequest { options: Some(options) });
        let path = Self::path("streams.Streams", "Read");
        let call = self.grpc().await.server_streaming(request, path, ProstCodec::default()).await;
        call.map(tonic::Response::into_inner)
    }

    /// Everything that a read answers.
    pub(super) async fn all(&self, options: ReadOptions) -> Result<Vec<Content>, Status> {
        let mut replies = self.read(options).await?;
        let mut all = Vec::new();
        while let Some(reply) = within_deadline(replies.message()).await? {
            all.push(reply.content.expect("a reply has content"));
        }
        Ok(all)
    }

    /// Everything that a read answers, where this is events only.
    pub(super) async fn events(&self, options: ReadOptions) -> Vec<Recorded> {
        self.all(options).await.unwrap().into_iter().map(recorded).collect()
    }

    /// Revisions of a stream, read forwards.
    pub(super) async fn revisions(&self, stream: &str) -> Vec<u64> {
        let events = self.events(of_stream(stream, StreamFrom::Start(()), 10_000)).await;
        events.iter().map(|event| event.revision).collect()
    }
}

pub(super) fn recorded(content: Content) -> Recorded {
    match content {
        Content::Event(event) => event.event.expect("an event"),
        other => panic!("expected an event, got {other:?}"),
    }
}

pub(super) fn ids(events: &[Recorded]) -> Vec<Uuid> {
    events.iter().map(|event| event.id.as_ref().and_then(WireUuid::id).unwrap()).collect()
}

pub(super) fn sent(events: &[Proposed]) -> Vec<Uuid> {
    events.iter().map(|event| event.id.as_ref().and_then(WireUuid::id).unwrap()).collect()
}

pub(super) fn identifier(stream: &str) -> StreamIdentifier {
    StreamIdentifier { name: Bytes::copy_from_slice(stream.as_bytes()) }
}

pub(super) fn target(stream: &str, expected: Expected) -> AppendTarget {
    AppendTarget { stream: Some(identifier(stream)), expected: Some(expected) }
}

pub(super) fn event() -> Proposed {
    event_of("Sold", br#"{"by":"a test"}"#)
}

pub(super) fn event_of(kind: &str, data: &[u8]) -> Proposed {
    let property = |key: &str, value: &str| Property { key: key.into(), value: value.into() };
    Proposed {
        id: Some(WireUuid::text(Uuid::new_v4())),
        properties: vec![property("type", kind), property("content-type", "application/json")],
        metadata: Bytes::from_static(b"{}"),
        data: Bytes::copy_from_slice(data),
    }
}

pub(super) fn events(count: usize) -> Vec<Proposed> {
    (0..count).map(|_| event()).collect()
}

/// A forward read of a stream.
pub(super) fn of_stream(stream: &str, from: StreamFrom, count: u64) -> ReadOptions {
    let options = StreamOptions { stream: Some(identifier(stream)), from: Some(from) };
    ReadOptions {
        stream: Some(StreamOption::Stream(options)),
        direction: 0,
        count: Some(CountOption::Count(count)),
        filter: None,
        uuid: None,
    }
}

/// A forward read of the whole log.
pub(super) fn of_all(from: AllFrom, count: u64) -> ReadOptions {
    ReadOptions {
        stream: Some(StreamOption::All(AllOptions { from: Some(from) })),
        ..of_stream("", StreamFrom::Start(()), count)
    }
}

pub(super) fn backwards(options: ReadOptions) -> ReadOptions {
    ReadOptions { direction: 1, ..options }
}

pub(super) fn following(options: ReadOptions) -> ReadOptions {
    ReadOptions { count: Some(CountOption::Subscription(())), ..options }
}

pub(super) fn filtered(options: ReadOptions, filter: FilterOptions) -> ReadOptions {
    ReadOptions { filter: Some(FilterOption::Filter(filter)), ..options }
}

pub(super) fn trailer<'a>(status: &'a Status, key: &str) -> &'a str {
    status.metadata().get(key).map_or("", |value| value.to_str().unwrap())
}
