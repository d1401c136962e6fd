"""The official Python client against an event log that speaks its protocol.

Usage: python_client.py HOST:PORT [read-only], the latter for a serving Accord that has events.
Exits with 1 on the first check that fails.
"""

import sys
from uuid import uuid4

from kurrentdbclient import KurrentDBClient, NewEvent, StreamState
from kurrentdbclient.events import CaughtUp, Checkpoint
from kurrentdbclient.exceptions import (
    AccessDeniedError,
    NotFoundError,
    StreamIsDeletedError,
    WrongCurrentVersionError,
)

TIME_MAX = 20.0


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(f"ok: {what}")


def refused(error, call):
    try:
        call()
    except error as raised:
        return raised
    sys.exit(f"FAILED: expected {error.__name__}")


def events(count, kind="Sold", data=b'{"by": "python"}'):
    return [NewEvent(type=kind, data=data, metadata=b'{"m": 1}') for _ in range(count)]


def ids(recorded):
    return [event.id for event in recorded]


def name():
    return f"python-{uuid4()}"


def appends(client):
    stream = name()
    first = events(3)
    at = client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=first)
    check(client.get_commit_position() >= at, "an append has a position")
    check(
        client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=first) == at,
        "the same append again has the same position",
    )
    client.append_to_stream(stream, current_version=2, events=events(1))
    client.append_to_stream(stream, current_version=StreamState.EXISTS, events=events(1))
    client.append_to_stream(stream, current_version=StreamState.ANY, events=events(1)[0])
    check(client.get_current_version(stream) == 5, "every expected version appends")

    for expected in (1, 9, StreamState.NO_STREAM):
        error = refused(
            WrongCurrentVersionError,
            lambda: client.append_to_stream(stream, current_version=expected, events=events(1)),
        )
        check(error.actual_version == 5, f"a batch expecting {expected} learns the actual one")
        error = refused(
            WrongCurrentVersionError,
            lambda: client.append_event(
                stream, current_version=expected, event=events(1)[0]
            ),
        )
        check(error.actual_version == 5, f"an append expecting {expected} learns it too")
    for append in (client.append_to_stream, lambda s, **k: client.append_events(s, **k)):
        error = refused(
            WrongCurrentVersionError,
            lambda: append(name(), current_version=StreamState.EXISTS, events=events(2)),
        )
        check(error.actual_version == StreamState.NO_STREAM, "a missing stream is told")


def reads(client):
    stream = name()
    batch = events(300)
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=batch)
    forward = client.get_stream(stream)
    check(ids(forward) == ids(batch), "a stream reads forwards")
    check([e.stream_position for e in forward] == list(range(300)), "revisions have no gap")
    one = forward[7]
    check(
        (one.type, one.data, one.metadata, one.content_type)
        == ("Sold", b'{"by": "python"}', b'{"m": 1}', "application/json"),
        "an event comes back as it was",
    )
    check(one.recorded_at is not None and one.commit_position > 0, "it has a time and a position")
    check(ids(client.get_stream(stream, backwards=True)) == ids(batch)[::-1], "and backwards")
    part = client.get_stream(stream, stream_position=10, limit=3)
    check(ids(part) == ids(batch)[10:13], "a part of a stream reads forwards")
    part = client.get_stream(stream, stream_position=10, backwards=True, limit=3)
    check(ids(part) == ids(batch)[10:7:-1], "and backwards")
    check(list(client.get_stream(stream, stream_position=300)) == [], "past the end is nothing")
    refused(NotFoundError, lambda: client.get_stream(name()))
    check(True, "a missing stream is not found")

    binary = NewEvent(type="Raw", data=bytes(range(256)), content_type="application/octet-stream")
    client.append_to_stream(stream, current_version=StreamState.ANY, events=binary)
    (raw,) = client.get_stream(stream, backwards=True, limit=1)
    check(
        (raw.data, raw.content_type) == (binary.data, "application/octet-stream"),
        "bytes that are no JSON come back as bytes",
    )


def reads_of_all(client):
    start = client.get_commit_position()
    one, other = name(), name()
    kinds = ["DealWon", "DealLost", "OrderPlaced"]
    written = [events(1, kind)[0] for kind in kinds * 20]
    for index, event in enumerate(written):
        stream = one if index % 2 == 0 else other
        client.append_event(stream, current_version=StreamState.ANY, event=event)

    def read(**how):
        seen = client.read_all(commit_position=start, **how)
        return [event.id for event in seen if event.commit_position > start]

    def of(*wanted):
        return [event.id for event in written if event.type in wanted]

    check(read() == ids(written), "the whole log reads forwards")
    check(read(filter_include=["Deal.*"]) == of("DealWon", "DealLost"), "by a regex on types")
    check(read(filter_exclude=["Deal.*"]) == of("OrderPlaced"), "by an excluding regex")
    check(
        read(filter_include=["Deal", "Nothing"], filter_by_prefix=True)
        == of("DealWon", "DealLost"),
        "by prefixes of types",
    )
    check(
        read(filter_include=[one], filter_by_stream_name=True, filter_by_prefix=True)
        == ids(written[::2]),
        "by a prefix of stream names",
    )
    check(
        read(filter_include=[f"{one[:-6]}.*"], filter_by_stream_name=True) == ids(written[::2]),
        "by a regex on stream names",
    )
    backwards = list(client.read_all(backwards=True, limit=60))
    check(ids(backwards) == ids(written)[::-1], "the whole log reads backwards")
    before = client.read_all(
        commit_position=backwards[9].commit_position, backwards=True, limit=5
    )
    check(ids(before) == ids(backwards[10:15]), "backwards strictly before a position")
    after = client.read_all(commit_position=backwards[9].commit_position, limit=5)
    check(ids(after) == ids(backwards[5:10])[::-1], "forwards from a position itself")


def subscriptions(client):
    stream, start = name(), client.get_commit_position()
    history = events(50, "History")
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=history)
    with client.subscribe_to_all(
        commit_position=start,
        filter_include=["History|Live"],
        include_checkpoints=True,
        include_caught_up=True,
        window_size=10,
        checkpoint_interval_multiplier=2,
        timeout=TIME_MAX,
    ) as subscription:
        seen, checkpoints, caught_up = [], 0, False
        for message in subscription:
            if isinstance(message, Checkpoint):
                checkpoints += 1
            elif isinstance(message, CaughtUp):
                caught_up = True
                break
            else:
                seen.append(message.id)
        check(seen == ids(history), "a subscription to the whole log delivers history")
        check(caught_up and checkpoints == 3, f"checkpoints and caught up ({checkpoints})")
        live = events(2, "Live")
        client.append_to_stream(stream, current_version=StreamState.ANY, events=live)
        seen = []
        for message in subscription:
            if not isinstance(message, (Checkpoint, CaughtUp)):
                seen.append(message.id)
            if len(seen) == 2:
                break
        check(seen == ids(live), "and then what is appended")

    with client.subscribe_to_stream(
        stream, stream_position=47, include_caught_up=True, timeout=TIME_MAX
    ) as subscription:
        seen = []
        for message in subscription:
            if isinstance(message, CaughtUp):
                break
            seen.append(message.stream_position)
        check(seen == [48, 49, 50, 51], "a stream's subscription begins after its revision")
        more = events(1, "Live")
        client.append_to_stream(stream, current_version=StreamState.ANY, events=more)
        check(next(subscription).id == more[0].id, "and goes on live")

    missing = name()
    with client.subscribe_to_stream(missing, timeout=TIME_MAX) as subscription:
        first = events(1)
        client.append_to_stream(missing, current_version=StreamState.NO_STREAM, events=first)
        check(next(subscription).id == first[0].id, "a stream can be awaited before it exists")


def metadata(client):
    stream = name()
    batch = events(10)
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=batch)
    check(client.get_stream_metadata(stream)[0] == {}, "a stream begins without metadata")
    client.set_stream_metadata(
        stream, metadata={"$maxCount": 3, "owner": "p"}, current_version=StreamState.NO_STREAM
    )
    found, version = client.get_stream_metadata(stream)
    check((found["owner"], version) == ("p", 0), "metadata comes back")
    check(ids(client.get_stream(stream)) == ids(batch[7:]), "the last three events are left")
    client.set_stream_metadata(stream, metadata={"$tb": 9}, current_version=0)
    check(ids(client.get_stream(stream)) == ids(batch[9:]), "what was truncated is not read")
    refused(
        WrongCurrentVersionError,
        lambda: client.set_stream_metadata(stream, metadata={}, current_version=0),
    )
    check(True, "metadata has versions too")


def ends(client):
    stream = name()
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=events(3))
    error = refused(
        WrongCurrentVersionError, lambda: client.delete_stream(stream, current_version=7)
    )
    check(error.actual_version == 2, "a delete at a wrong version learns the actual one")
    client.delete_stream(stream, current_version=2)
    refused(NotFoundError, lambda: client.get_stream(stream))
    check(True, "a deleted stream is not found")
    back = events(2)
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=back)
    found = client.get_stream(stream)
    check(ids(found) == ids(back), "an append brings it back without what it held")
    check([e.stream_position for e in found] == [3, 4], "and its revisions go on")

    client.tombstone_stream(stream, current_version=StreamState.ANY)
    refused(StreamIsDeletedError, lambda: client.get_stream(stream))
    for append in (
        lambda: client.append_to_stream(stream, current_version=StreamState.ANY, events=events(2)),
        lambda: client.delete_stream(stream, current_version=StreamState.ANY),
        lambda: client.tombstone_stream(stream, current_version=StreamState.ANY),
    ):
        refused(StreamIsDeletedError, append)
    check(True, "a tombstone is final")
    refused(NotFoundError, lambda: client.tombstone_stream(name(), current_version=3))
    check(True, "nothing can be buried that is not there")


def read_only(client):
    everything = list(client.read_all())
    check(len(everything) > 100, "a serving Accord's events can be read")
    stream = everything[-1].stream_name
    check(client.get_stream(stream)[-1].id == everything[-1].id, "and its streams")
    seen = []
    with client.subscribe_to_all(include_caught_up=True, timeout=TIME_MAX) as subscription:
        for message in subscription:
            if isinstance(message, CaughtUp):
                break
            seen.append(message.id)
    check(seen == ids(everything), "and followed")
    for write in (
        lambda: client.append_to_stream(stream, current_version=StreamState.ANY, events=events(2)),
        lambda: client.append_event(stream, current_version=StreamState.ANY, event=events(1)[0]),
        lambda: client.set_stream_metadata(stream, metadata={}, current_version=StreamState.ANY),
        lambda: client.delete_stream(stream, current_version=StreamState.ANY),
        lambda: client.tombstone_stream(stream, current_version=StreamState.ANY),
    ):
        refused(AccessDeniedError, write)
    check(ids(client.read_all()) == ids(everything), "and none of it can be changed")


def main():
    if sys.argv[2:] not in ([], ["read-only"]) or len(sys.argv) < 2:
        sys.exit(__doc__)
    client = KurrentDBClient(uri=f"esdb://{sys.argv[1]}?tls=false")
    writing = (appends, reads, reads_of_all, subscriptions, metadata, ends)
    for part in (read_only,) if sys.argv[2:] else writing:
        part(client)
    client.close()
    print("all checks of the Python client hold")


main()
