//! One call: who may make it, and which method answers it.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response, header::AUTHORIZATION};
use hyper::body::Incoming;
use tonic::{Status, body::Body, server::Grpc};
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::{
    appending, batching, cluster,
    deleting::{self, End},
    messages::{AppendRequest, BatchRequest, ChangeRequest, ReadRequest},
    reading, refusals,
    setup::Credentials,
    wire::Wire,
};

/// Largest message taken or sent, in bytes: clients cut batches at about 16 MiB.
const MESSAGE_BYTES_MAX: usize = 20 * 1024 * 1024;

const STREAMS: &str = "/event_store.client.streams.Streams/";
const PERSISTENT: &str = "/event_store.client.persistent_subscriptions.PersistentSubscriptions/";
const SUPPORTED_METHODS: &str =
    "/event_store.client.server_features.ServerFeatures/GetSupportedMethods";
const GOSSIP: &str = "/event_store.client.gossip.Gossip/Read";

/// Answers one call. What a client asks before it begins needs no password: some clients ask
/// without one, and learn nothing but what this listener can do and where it is.
pub(crate) async fn answer(
    wire: Arc<Wire>,
    credentials: Option<Arc<Credentials>>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    if path == SUPPORTED_METHODS {
        let methods = service_fn(|_: tonic::Request<()>| async {
            Ok(tonic::Response::new(cluster::supported_methods()))
        });
        return Ok(grpc().unary(methods, request).await);
    }
    if path == GOSSIP {
        let info = cluster::cluster_info(wire.instance, request.uri().authority());
        let info = service_fn(move |_: tonic::Request<()>| {
            let info = info.clone();
            async { Ok(tonic::Response::new(info)) }
        });
        return Ok(grpc().unary(info, request).await);
    }
    let authorization = request.headers().get(AUTHORIZATION).map(http::HeaderValue::as_bytes);
    if credentials.is_some_and(|credentials| !credentials.admit(authorization)) {
        return Ok(refusals::unauthenticated().into_http());
    }
    if let Some(method) = path.strip_prefix(STREAMS).map(str::to_owned) {
        return Ok(streams(wire, &method, request).await);
    }
    Ok(match path.strip_prefix(PERSISTENT) {
        // There are none, and an empty message says so.
        Some("List") => {
            let none = service_fn(|_: tonic::Request<()>| async { Ok(tonic::Response::new(())) });
            grpc().unary(none, request).await
        }
        Some(_) => unimplemented("persistent subscriptions are not served here"),
        None => unimplemented("this listener does not know the method"),
    })
}

async fn streams(wire: Arc<Wire>, method: &str, request: Request<Incoming>) -> Response<Body> {
    let end = |end: End| {
        let wire = Arc::clone(&wire);
        service_fn(move |request: tonic::Request<ChangeRequest>| {
            deleting::end(Arc::clone(&wire), end, request)
        })
    };
    match method {
        "Read" => {
            let read = service_fn(move |request: tonic::Request<ReadRequest>| {
                std::future::ready(reading::read(Arc::clone(&wire), request))
            });
            grpc().server_streaming(read, request).await
        }
        "Append" => {
            let append = service_fn(move |request: tonic::Request<_>| {
                appending::append(Arc::clone(&wire), request)
            });
            grpc::<_, AppendRequest>().client_streaming(append, request).await
        }
        "BatchAppend" => {
            let batch = service_fn(move |request: tonic::Request<_>| {
                std::future::ready(batching::batch_append(Arc::clone(&wire), request))
            });
            grpc::<_, BatchRequest>().streaming(batch, request).await
        }
        "Delete" => grpc().unary(end(End::Delete), request).await,
        "Tombstone" => grpc().unary(end(End::Tombstone), request).await,
        _ => unimplemented("this listener does not know the method"),
    }
}

fn grpc<Reply, Asked>() -> Grpc<ProstCodec<Reply, Asked>>
where
    Reply: prost::Message + 'static,
    Asked: prost::Message + Default + 'static,
{
    Grpc::new(ProstCodec::default())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

fn unimplemented(reason: &str) -> Response<Body> {
    Status::unimplemented(reason).into_http()
}
