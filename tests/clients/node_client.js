// The official Node client against an event log that speaks its protocol.
//
// Usage: node node_client.js HOST:PORT. Exits with 1 on the first check that fails.

"use strict";

const { randomUUID } = require("node:crypto");
const {
  ANY,
  BACKWARDS,
  END,
  FORWARDS,
  KurrentDBClient,
  NO_STREAM,
  START,
  STREAM_EXISTS,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
  binaryEvent,
  eventTypeFilter,
  jsonEvent,
  streamNameFilter,
} = require("@kurrent/kurrentdb-client");

const TIME_MAX_MS = 20_000;

function check(holds, what) {
  if (!holds) throw new Error(`FAILED: ${what}`);
  console.log(`ok: ${what}`);
}

async function refused(kind, call) {
  try {
    await call();
  } catch (error) {
    if (error instanceof kind) return error;
    throw new Error(`FAILED: expected ${kind.name}, got ${error.stack}`);
  }
  throw new Error(`FAILED: expected ${kind.name}`);
}

function events(count, type = "Sold") {
  const event = () =>
    jsonEvent({ id: randomUUID(), type, data: { by: "node" }, metadata: { m: 1 } });
  return Array.from({ length: count }, event);
}

const name = () => `node-${randomUUID()}`;
const ids = (all) => all.map((event) => event.id);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

async function collect(read) {
  const all = [];
  for await (const { event } of read) all.push(event);
  return all;
}

// What a subscription delivers, kept until somebody takes it.
class Follower {
  constructor(subscription) {
    this.seen = [];
    this.subscription = subscription;
    subscription.on("data", ({ event }) => this.keep(event.id));
    subscription.on("caughtUp", () => this.keep("caught up"));
    subscription.on("error", (error) => this.keep(error));
  }

  keep(message) {
    this.seen.push(message);
    this.wake?.();
  }

  // Takes messages until one of them is the last one wanted.
  async until(last) {
    const deadline = Date.now() + TIME_MAX_MS;
    while (!this.seen.includes(last)) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`FAILED: waited in vain, got ${this.seen}`);
      await new Promise((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, left).unref();
      });
    }
    return this.seen.splice(0, this.seen.indexOf(last) + 1);
  }
}

async function appends(client, way) {
  const stream = name();
  const append = (streamState, what, to = stream) =>
    client.appendToStream(to, what, { streamState, ...way });
  const first = events(3);
  const landed = await append(NO_STREAM, first);
  check(landed.success && landed.nextExpectedRevision === 2n, "an append lands");
  const again = await append(NO_STREAM, first);
  check(again.position.commit === landed.position.commit, "a second time at the same place");
  await append(2n, events(1));
  await append(STREAM_EXISTS, events(1));
  const last = await append(ANY, events(1));
  check(last.nextExpectedRevision === 5n, "every expected revision appends");
  for (const expected of [1n, 9n]) {
    const error = await refused(WrongExpectedVersionError, () => append(expected, events(1)));
    check(
      error.actualState === 5n && error.expectedState === expected,
      `expecting ${expected} learns the actual revision`,
    );
  }
  const error = await refused(WrongExpectedVersionError, () =>
    append(STREAM_EXISTS, events(1), name()),
  );
  check(error.actualState === "no_stream", "a missing stream is told");
}

async function reads(client) {
  const stream = name();
  const batch = events(300);
  await client.appendToStream(stream, batch, { streamState: NO_STREAM });
  const read = (how) => collect(client.readStream(stream, how));
  const forward = await read({ direction: FORWARDS, fromRevision: START });
  check(same(ids(forward), ids(batch)), "a stream reads forwards");
  check(forward.every((event, index) => event.revision === BigInt(index)), "without a gap");
  check(
    forward[7].data.by === "node" && forward[7].metadata.m === 1 && forward[7].type === "Sold",
    "an event comes back as it was",
  );
  check(forward[7].created > new Date(2020, 0), "with its time");
  const backward = await read({ direction: BACKWARDS, fromRevision: END });
  check(same(ids(backward), ids(batch).reverse()), "and backwards");
  const part = await read({ direction: BACKWARDS, fromRevision: 10n, maxCount: 3 });
  check(same(ids(part), ids(batch).slice(8, 11).reverse()), "a part reads backwards");
  await refused(StreamNotFoundError, () => collect(client.readStream(name())));
  check(true, "a missing stream is not found");

  const data = new Uint8Array([0, 1, 254, 255]);
  const raw = binaryEvent({ id: randomUUID(), type: "Raw", data });
  await client.appendToStream(stream, raw);
  const [found] = await read({ direction: BACKWARDS, fromRevision: END, maxCount: 1 });
  check(Buffer.compare(Buffer.from(found.data), Buffer.from(data)) === 0, "bytes stay bytes");
}

async function readsOfAll(client) {
  const stream = name();
  const types = ["DealWon", "OrderPlaced", "DealLost"];
  const batch = types.map((type) => events(1, type)[0]);
  await client.appendToStream(stream, batch, { streamState: NO_STREAM });
  const backward = await collect(
    client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 3 }),
  );
  check(same(ids(backward), ids(batch).reverse()), "the whole log reads backwards");
  const from = backward[2].position;
  const forward = await collect(client.readAll({ direction: FORWARDS, fromPosition: from }));
  check(same(ids(forward), ids(batch)), "and forwards from a position");
  const filtered = async (filter) =>
    ids(await collect(client.readAll({ fromPosition: from, filter })));
  const deals = ids([batch[0], batch[2]]);
  check(same(await filtered(eventTypeFilter({ prefixes: ["Deal"] })), deals), "by a prefix");
  check(same(await filtered(eventTypeFilter({ regex: "^Deal" })), deals), "by a regex");
  const onStream = streamNameFilter({ prefixes: [stream] });
  check(same(await filtered(onStream), ids(batch)), "by a prefix of stream names");
}

async function subscriptions(client) {
  const stream = name();
  const history = events(40, "History");
  const { position } = await client.appendToStream(name(), events(1));
  await client.appendToStream(stream, history, { streamState: NO_STREAM });
  let checkpoints = 0;
  const filter = eventTypeFilter({
    regex: "History|Live",
    maxSearchWindow: 10,
    checkpointInterval: 2,
    checkpointReached: () => (checkpoints += 1),
  });
  const all = new Follower(client.subscribeToAll({ fromPosition: position, filter }));
  const seen = await all.until("caught up");
  check(same(seen.slice(0, -1), ids(history)), "a subscription delivers history");
  check(checkpoints >= 2, `and checkpoints (${checkpoints})`);
  const live = events(2, "Live");
  await client.appendToStream(stream, live);
  const delivered = await all.until(live[1].id);
  check(same(delivered, ids(live)), "and then what is appended");
  await all.subscription.unsubscribe();

  const one = new Follower(client.subscribeToStream(stream, { fromRevision: 39n }));
  const rest = await one.until("caught up");
  check(same(rest, [...ids(live), "caught up"]), "a stream's subscription goes on");
  await one.subscription.unsubscribe();
}

async function metadata(client) {
  const stream = name();
  const batch = events(10);
  await client.appendToStream(stream, batch, { streamState: NO_STREAM });
  await client.setStreamMetadata(stream, { maxCount: 3, owner: "n" });
  const { metadata } = await client.getStreamMetadata(stream);
  check(metadata.maxCount === 3 && metadata.owner === "n", "metadata comes back");
  const left = await collect(client.readStream(stream));
  check(same(ids(left), ids(batch).slice(7)), "the last three events are left");
}

async function ends(client) {
  const stream = name();
  await client.appendToStream(stream, events(3), { streamState: NO_STREAM });
  const error = await refused(WrongExpectedVersionError, () =>
    client.deleteStream(stream, { expectedRevision: 7n }),
  );
  check(error.actualState === 2n && error.streamName === stream, "a wrong delete is told");
  await client.deleteStream(stream, { expectedRevision: 2n });
  await refused(StreamNotFoundError, () => collect(client.readStream(stream)));
  check(true, "a deleted stream is not found");
  const back = events(2);
  await client.appendToStream(stream, back, { streamState: NO_STREAM });
  check(same(ids(await collect(client.readStream(stream))), ids(back)), "and can come back");
  await client.tombstoneStream(stream);
  await refused(StreamDeletedError, () => client.appendToStream(stream, events(1)));
  await refused(StreamDeletedError, () => collect(client.readStream(stream)));
  check(true, "a tombstone is final");
}

async function main() {
  const address = process.argv[2];
  if (!address) throw new Error("usage: node node_client.js HOST:PORT");
  const client = KurrentDBClient.connectionString(`kurrentdb://${address}?tls=false`);
  await appends(client, {});
  // With a user the client appends by the other method, and drops the password without TLS.
  await appends(client, { credentials: { username: "somebody", password: "dropped" } });
  await reads(client);
  await readsOfAll(client);
  await subscriptions(client);
  await metadata(client);
  await ends(client);
  await client.dispose();
  console.log("all checks of the Node client hold");
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
