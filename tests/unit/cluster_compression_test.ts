import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type ActiveMode,
  type CompressionMode,
  declined,
  levelOf,
  negotiate,
  UnknownCompressionError,
} from "../../src/cluster/compression.ts";
import { S2Encoder, type S2Level } from "../../src/cluster/s2/mod.ts";
import type { MemoryBroker } from "../support/memory_broker.ts";
import { infosIn, type RouteLink, RoutePeer, startClustered } from "../support/route_peer.ts";
import { decodeAll, IDENTIFIER } from "../support/s2_frames.ts";
import { fromBytes, toBytes } from "../support/wire_text.ts";

const MODES: readonly CompressionMode[] = [
  ...["off", "accept", "s2_fast", "s2_better", "s2_best", "s2_auto"] as const,
];

Deno.test("what is agreed on, for every pair of modes", () => {
  const none = [null, null, null, null, null, null];
  const table: Record<string, (ActiveMode | null)[]> = {
    // By the peer's mode; columns by this side's, in the order of MODES.
    "": none,
    "not supported": none,
    "off": none,
    "accept": [null, null, "s2_fast", "s2_better", "s2_best", "s2_auto"],
    "s2_fast": [null, "s2_fast", "s2_fast", "s2_better", "s2_best", "s2_auto"],
    "s2_better": [null, "s2_better", "s2_fast", "s2_better", "s2_best", "s2_auto"],
    "s2_best": [null, "s2_best", "s2_fast", "s2_better", "s2_best", "s2_auto"],
    "s2_auto": [null, "s2_fast", "s2_fast", "s2_better", "s2_best", "s2_auto"],
  };
  for (const [remote, row] of Object.entries(table)) {
    assertEquals(MODES.map((local) => negotiate(local, remote)), row, remote);
  }
  assertEquals(MODES.map((local) => negotiate(local, undefined)), none);
  assertEquals(negotiate("off", "zstd"), null);
  for (const local of MODES.slice(1)) {
    assertThrows(() => negotiate(local, "zstd"), UnknownCompressionError, `"zstd"`);
  }
});

Deno.test("both sides come to the same whether they compress at all", () => {
  for (const here of MODES) {
    for (const there of MODES) {
      assertEquals(
        negotiate(here, there) === null,
        negotiate(there, here) === null,
        `${here} and ${there}`,
      );
    }
  }
});

Deno.test("INFO says off where nothing was agreed, or that the peer does not support it", () => {
  assertEquals(
    [declined("off"), declined("accept"), declined("not supported")].join(),
    "off,off,off",
  );
  assertEquals([declined(undefined), declined("")].join(), "not supported,not supported");
});

Deno.test("the level of s2_auto by the round trip", () => {
  const levels = (thresholds: number[], ...rtts: number[]) =>
    rtts.map((rttMs) => levelOf("s2_auto", rttMs, thresholds)).join(" ");
  assertEquals(
    levels([10, 50, 100], 0, 10, 11, 50, 51, 100, 101),
    "uncompressed uncompressed fast fast better better best",
  );
  assertEquals(levels([0, 50, 100], 0, 10, 51, 101), "fast fast better best");
  assertEquals(levels([0, 0, 0, 1000], 0, 5000), "best best");
});

/** A broker that compresses with `mode`, and a client that is subscribed to foo. */
async function startWithInterest(mode: CompressionMode) {
  const world = await startClustered({ compression: mode });
  const client = await world.connect();
  await world.exchange(client, "SUB foo 1\r\n");
  return { world, client };
}

/** `bytes` as one complete S2 stream. */
function stream(text: string, level: S2Level = "fast"): Uint8Array {
  return new S2Encoder(level).encode(toBytes(text)).slice();
}

/** Dials up to the switch, and returns the broker's last words in the clear. */
async function dialCompressed(world: MemoryBroker, peer: RoutePeer, mode: string) {
  const link = await peer.dial();
  const plain = link.take();
  link.sendRaw(peer.connectLine() + peer.infoLine({ compression: mode }));
  await world.settle();
  return { link, plain };
}

Deno.test("whoever is dialled repeats INFO compressed, and then everything is", async () => {
  const { world, client } = await startWithInterest("s2_fast");
  await using _ = world;
  using peer = new RoutePeer(world);
  const { link, plain } = await dialCompressed(world, peer, "s2_fast");
  assertEquals(infosIn(plain)[0]!.compression, "s2_fast");
  const raw = link.takeBytes();
  assertEquals(raw.subarray(0, IDENTIFIER.length), IDENTIFIER);
  link.compress();
  // One stream, exactly that of its text: INFO again, and nothing of interest yet.
  const decoded = decode(raw);
  assertEquals(infosIn(decoded).length, 1);
  assertEquals(decoded.endsWith(" \r\n"), true);
  assertEquals(infosIn(decoded)[0]!.compression, "s2_fast");
  assertEquals(raw, stream(decoded));
  assertEquals(world.broker.routes().length, 0, "not before the peer's second INFO");
  link.send(peer.infoLine({ compression: "s2_fast" }));
  await world.settle();
  // Short ones do not pay: `RS+ $G foo` in an uncompressed chunk behind an identifier.
  const hex = link.takeBytes().toHex();
  assertEquals(
    hex,
    "ff0600005332735477" + "4f" + "01100000" + "32c4b726" +
      toBytes("RS+ $G foo\r\n").toHex(),
  );
  const route = world.broker.routes()[0]!.routes[0]!;
  assertEquals(route.compression, "s2_fast");
  link.send("PING\r\n");
  await world.settle();
  assertEquals(
    link.takeBytes().toHex(),
    "ff06000053327354774f" + "010a0000" + "f56f1be4" + toBytes("PONG\r\n").toHex(),
  );
  link.send("RMSG $G foo 5\r\nhello\r\n");
  await world.settle();
  assertEquals(client.take(), "MSG foo 1 5\r\nhello\r\n");
});

function decode(raw: Uint8Array): string {
  return fromBytes(decodeAll(raw));
}

Deno.test("whoever dials says INFO in the clear, then compressed when the other has", async () => {
  await using world = await startClustered({
    compression: "s2_better",
    pool_size: 3,
    routes: ["nats-route://memory:7001"],
  });
  const client = await world.connect();
  await world.exchange(client, "SUB foo 1\r\n");
  using peer = new RoutePeer(world, "SF", 7001, { route_pool_size: 3 }).listen();
  await world.advance(1);
  const link = peer.next();
  assertEquals(infosIn(link.take()).length, 0);
  link.sendRaw(peer.infoLine({ compression: "s2_best" }));
  await world.settle();
  const plain = link.take();
  assertEquals(infosIn(plain).length, 1);
  assertEquals(infosIn(plain)[0]!.compression, "s2_better");
  assertEquals(infosIn(plain)[0]!.route_pool_idx, undefined);
  assert(plain.endsWith(" \r\n"), "nothing behind it in the clear");
  // Nothing at all before the other's compressed INFO, not even PING.
  await world.advance(3000);
  assertEquals(link.take(), "");
  link.compress("best");
  link.send(peer.infoLine({ compression: "s2_best" }));
  await world.settle();
  const decoded = link.take();
  assertEquals(infosIn(decoded).length, 1);
  assert(decoded.endsWith("PING\r\n"), "the pool is incomplete");
});

Deno.test("what does not compress in the end stays in the clear", async () => {
  for (
    const [here, there, said] of [
      ["accept", "accept", "accept"],
      ["off", "s2_fast", "off"],
      ["s2_fast", undefined, "s2_fast"],
      ["s2_fast", "not supported", "s2_fast"],
    ] as const
  ) {
    const { world } = await startWithInterest(here);
    await using _ = world;
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    assertEquals(infosIn(link.take())[0]!.compression, said);
    assertEquals(await link.join({ compression: there }), "RS+ $G foo\r\n");
    assertEquals(world.broker.routes()[0]!.routes[0]!.compression, null);
  }
});

/** CONNECT, INFO and all that follows as the bytes of a peer that dials and compresses. */
function conversation(peer: RoutePeer): Uint8Array {
  const plain = peer.connectLine() + peer.infoLine({ compression: "s2_fast", port: 0 });
  const rest = stream(peer.infoLine({ compression: "s2_fast", port: 0 })),
    interest = stream("RS+ $G bar\r\nPING\r\n");
  return toBytes(plain + fromBytes(rest) + fromBytes(interest));
}

Deno.test("who is dialled switches at the right byte, wherever reads are cut", async () => {
  const { world } = await startWithInterest("accept");
  await using _ = world;
  const length = conversation(new RoutePeer(world)).length;
  // 0 is everything in one read; `length` is every byte in a read of its own.
  for (let cut = 0; cut <= length; cut++) {
    using peer = new RoutePeer(world);
    const link = await peer.dial();
    link.take();
    const bytes = conversation(peer);
    if (cut === length) {
      for (const byte of bytes) {
        link.sendRaw(Uint8Array.of(byte));
        await world.settle();
      }
    } else {
      link.sendRaw(bytes.subarray(0, cut));
      await world.settle();
      link.sendRaw(bytes.subarray(cut));
      await world.settle();
    }
    link.compress();
    assertStringIncludes(link.take(), "RS+ $G foo\r\nPONG\r\n", `cut at ${cut}`);
    assertEquals(world.broker.routes()[0]!.routes[0]!.interests, 1);
    link.close();
    await world.settle();
  }
});

Deno.test("who dials switches at the right byte, wherever reads are cut", async () => {
  const bytesOf = (peer: RoutePeer) =>
    toBytes(
      peer.infoLine({ compression: "s2_fast" }) +
        fromBytes(stream(peer.infoLine({ compression: "s2_fast" }))) +
        fromBytes(stream("RS+ $G bar\r\nPING\r\n")),
    );
  for (let cut = 0;; cut++) {
    await using world = await startClustered({
      compression: "accept",
      routes: ["nats-route://memory:7001"],
    });
    using peer = new RoutePeer(world).listen();
    await world.advance(1);
    const link = peer.next(), bytes = bytesOf(peer);
    link.sendRaw(bytes.subarray(0, cut));
    await world.settle();
    link.sendRaw(bytes.subarray(cut));
    await world.settle();
    const raw = link.takeBytes(), at = fromBytes(raw).indexOf("\xff\x06\0\0S2sTwO");
    const plain = fromBytes(raw.subarray(0, at)), decoded = decode(raw.subarray(at));
    assertEquals(infosIn(plain).length, 1, `cut at ${cut}`);
    assertEquals(infosIn(decoded).length, 1);
    assert(decoded.endsWith("PONG\r\n"));
    assertEquals(world.broker.routes()[0]!.routes[0]!.interests, 1);
    if (cut >= bytes.length) break;
  }
});

Deno.test("corrupt data ends the connection, and the log says why", async () => {
  for (const when of ["at the switch", "later"]) {
    const { world } = await startWithInterest("accept");
    await using _ = world;
    using peer = new RoutePeer(world);
    const { link } = await dialCompressed(world, peer, "s2_fast");
    link.takeBytes();
    const bad = stream("RS+ $G bar\r\n");
    bad[bad.length - 3]! ^= 1;
    if (when === "later") link.sendRaw(stream(peer.infoLine({ compression: "s2_fast" })));
    link.sendRaw(bad);
    await world.settle();
    assert(link.ended);
    await world.advance(1000);
    const log = world.log.find((line) => line.includes("Corrupt compressed data"));
    assertStringIncludes(log!, "checksum mismatch");
    assertEquals(world.broker.routes(), []);
    assertEquals(world.broker.statistics.panics, 0);
  }
});

Deno.test("what is not S2 at all behind the switch is corrupt", async () => {
  const { world } = await startWithInterest("accept");
  await using _ = world;
  using peer = new RoutePeer(world);
  const link = await peer.dial();
  link.sendRaw(
    peer.connectLine() + peer.infoLine({ compression: "s2_fast" }) + "RS+ $G bar\r\n",
  );
  await world.settle();
  await world.advance(1000);
  assert(link.ended);
  assert(world.log.some((line) => line.includes("Corrupt compressed data")));
});

/** Lets time pass until the broker has sent PING, and answers after `rttMs`. */
async function pong(world: MemoryBroker, link: RouteLink, rttMs: number): Promise<void> {
  while (!link.take().includes("PING\r\n")) await world.advance(10);
  await world.advance(rttMs);
  link.send("PONG\r\n");
  await world.settle();
}

Deno.test("s2_auto chooses the level anew at every PONG", async () => {
  await using world = await startClustered({ compression: "s2_auto", ping_interval: "1s" });
  const client = await world.connect();
  using peer = new RoutePeer(world);
  const { link } = await dialCompressed(world, peer, "accept");
  link.compress();
  assertEquals(infosIn(link.take())[0]!.compression, "s2_auto");
  link.send(peer.infoLine({ compression: "s2_fast" }) + "RS+ $G bar\r\n");
  await world.settle();
  link.take();
  const payload = words(3000), frame = `RMSG $G bar ${payload.length}\r\n${payload}\r\n`;
  for (
    const [rttMs, level] of [
      [5, "uncompressed"],
      [30, "fast"],
      [80, "better"],
      [300, "best"],
      [5, "uncompressed"],
    ] as const
  ) {
    await pong(world, link, rttMs);
    client.send(`PUB bar ${payload.length}\r\n${payload}\r\n`);
    await world.settle();
    assertEquals(link.takeBytes(), stream(frame, level), `${rttMs} ms`);
  }
  assertEquals(world.broker.routes()[0]!.routes[0]!.compression, "s2_auto");
});

/** Text that each level makes something else of. */
function words(length: number): string {
  let text = "";
  for (let i = 7; text.length < length; i = (i * 31 + 11) % 1009) {
    text += ["alpha", "beta", "gamma", "delta"][i % 4]! + (i % 97) + " ";
  }
  return text.slice(0, length);
}
