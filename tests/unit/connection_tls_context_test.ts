import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  CERTIFICATE_LOOK_MS,
  EXPIRY_LOOK_MS,
  loadTlsMaterial,
  TlsContext,
  type TlsSettings,
} from "../../src/connection/mod.ts";
import { Logging } from "../../src/log/mod.ts";
import { VirtualClock } from "../../src/platform/mod.ts";
import { type CertificateRequest, TestAuthority } from "../support/certificates.ts";
import { MemoryFiles } from "../support/memory_files.ts";

const DAY_MS = 24 * 3_600_000;

const settings: TlsSettings = {
  certFile: "a.pem",
  keyFile: "a.key",
  caFile: "ca.pem",
  verify: true,
  minVersion: "1.2",
  pinned: new Set(),
  timeoutMs: 2000,
};

/** A context over files in memory, and what it logs. */
async function contextOf(request: CertificateRequest = {}) {
  const files = new MemoryFiles(), clock = new VirtualClock({ startMs: Date.now() });
  const authority = await TestAuthority.create(), lines: string[] = [];
  const issue = async (wanted: CertificateRequest = {}) => {
    const { cert, key } = await authority.issue(wanted);
    return { cert, key };
  };
  const write = async ({ cert, key }: { readonly cert: string; readonly key: string }) => {
    await files.writeText("a.pem", cert);
    await files.writeText("a.key", key);
  };
  await write(await issue(request));
  await files.writeText("ca.pem", authority.pem);
  const logging = new Logging({
    clock,
    files,
    pid: 1,
    stderrWrite: (line) => lines.push(line.trimEnd()),
    config: {
      level: "info",
      format: "text",
      log_size_limit: 0,
      log_max_num: 0,
      logtime: false,
      logtime_utc: false,
      max_traced_msg_len: 0,
    },
  });
  const context = new TlsContext(await loadTlsMaterial(files, settings), {
    files,
    clock,
    log: logging.log("tls"),
    purpose: "client",
  });
  return {
    files,
    clock,
    context,
    lines,
    issue,
    write,
    [Symbol.dispose]: () => logging[Symbol.dispose](),
  };
}

Deno.test("what is in the files is used when it is good, and complained of once when it is not", async () => {
  using made = await contextOf();
  const { files, context, lines, issue, write } = made, first = context.current;
  await context.look();
  assertEquals([context.current, lines], [first, []]);

  const next = await issue();
  await files.writeText("a.pem", next.cert);
  for (let look = 0; look < 3; look++) await context.look();
  assertEquals(context.current, first);
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0]!, "a.key does not match the public key of a.pem");

  await write(next);
  await context.look();
  assert(context.current !== first);
  assertEquals(context.current.files.cert, next.cert);
  // The authorities are the same: whoever was verified still is.
  assertEquals(context.current.trust, first.trust);
  assertStringIncludes(lines[1]!, "The TLS certificates for client connections have changed");
});

Deno.test("who was verified by other authorities does not resume a session", async () => {
  using made = await contextOf();
  const { files, context } = made, nowMs = Date.now();
  const { der } = await (await TestAuthority.create()).issue({});
  assertEquals(context.current.trust.objection(der, false, nowMs), null);
  assertEquals(context.current.trust.objection(der, true, nowMs), null);
  await files.writeText("ca.pem", (await TestAuthority.create()).pem);
  await context.look();
  assertEquals(
    context.current.trust.objection(der, true, nowMs),
    "a session of another port is not resumed here",
  );
});

Deno.test("files that are gone change nothing, and are complained of once", async () => {
  using made = await contextOf();
  const { files, context, lines } = made, first = context.current, cert = files.text("a.pem")!;
  await files.remove("a.pem");
  for (let look = 0; look < 3; look++) await context.look();
  assertEquals([context.current, lines.length], [first, 1]);
  await files.writeText("a.pem", cert);
  await context.look();
  assertEquals([context.current, lines.length], [first, 1]);
});

Deno.test("a certificate that runs out is told of", async () => {
  using made = await contextOf({ notAfter: new Date(Date.now() + 31.5 * DAY_MS) });
  const { context, clock, lines } = made;
  assertEquals([context.daysLeft, lines], [31, []]);
  await clock.advance(2 * DAY_MS);
  context.warnOfExpiry();
  assertStringIncludes(lines[0]!, "expires soon");
  assertStringIncludes(lines[0]!, "days_left=29");
  await clock.advance(30 * DAY_MS);
  context.warnOfExpiry();
  assertStringIncludes(lines[1]!, "has expired");
  assert(EXPIRY_LOOK_MS === DAY_MS && CERTIFICATE_LOOK_MS <= 10_000);
});
