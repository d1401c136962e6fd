//! What clients ask before they begin: the server's abilities, and the nodes of its cluster.

use std::time::{SystemTime, UNIX_EPOCH};

use http::uri::Authority;
use uuid::Uuid;

use crate::messages::{ClusterInfo, Endpoint, Member, SupportedMethod, SupportedMethods, WireUuid};

/// The version whose behaviour this listener follows. Clients compare it.
const SERVER_VERSION: &str = "23.10.0";
const STREAMS: &str = "event_store.client.streams.streams";
const FEATURES: &str = "event_store.client.server_features.serverfeatures";
const GOSSIP: &str = "event_store.client.gossip.gossip";
const PERSISTENT: &str = "event_store.client.persistent_subscriptions.persistentsubscriptions";
const LEADER: i32 = 8;

/// Every method that is answered, and its features.
pub(crate) fn supported_methods() -> SupportedMethods {
    let all: &[(&str, &str, &[&str])] = &[
        (STREAMS, "read", &["position", "events"]),
        (STREAMS, "append", &[]),
        (STREAMS, "batchappend", &["deadline_duration"]),
        (STREAMS, "delete", &[]),
        (STREAMS, "tombstone", &[]),
        (FEATURES, "getsupportedmethods", &[]),
        (GOSSIP, "read", &[]),
        (PERSISTENT, "list", &[]),
    ];
    let method = |(service, method, features): &(&str, &str, &[&str])| SupportedMethod {
        method: (*method).to_owned(),
        service: (*service).to_owned(),
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
    };
    SupportedMethods {
        methods: all.iter().map(method).collect(),
        server_version: SERVER_VERSION.to_owned(),
    }
}

/// A cluster of one node, which leads, at the address by which the client has found it.
pub(crate) fn cluster_info(instance: Uuid, authority: Option<&Authority>) -> ClusterInfo {
    let endpoint = authority.map(|authority| Endpoint {
        host: authority.host().trim_matches(['[', ']']).to_owned(),
        port: authority.port_u16().unwrap_or(2113).into(),
    });
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let node = Member {
        instance: Some(WireUuid::text(instance)),
        time: i64::try_from(since.as_nanos() / 100).unwrap_or(i64::MAX),
        state: LEADER,
        is_alive: true,
        endpoint,
    };
    ClusterInfo { members: vec![node] }
}
