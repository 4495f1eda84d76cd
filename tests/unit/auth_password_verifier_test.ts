import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  PasswordVerifier,
  type PasswordVerifierOptions,
  VerifierFailedError,
  VerifierOverloadedError,
} from "../../src/auth/mod.ts";
import type { BcryptCheck } from "../../src/auth/bcrypt_worker.ts";
import { WorkerError, type WorkerEvents } from "../../src/platform/mod.ts";
import { SystemClock } from "../../src/platform/system_clock.ts";
import { VirtualClock } from "../../src/platform/virtual_clock.ts";

/** A worker that answers when the test says so; the newest one started is the one spoken to. */
class ScriptedWorker {
  started = 0;
  terminated = 0;
  readonly posted: string[] = [];
  #events: WorkerEvents | undefined;

  start(events: WorkerEvents) {
    this.started++;
    this.#events = events;
    return {
      post: (data: unknown) => void this.posted.push((data as BcryptCheck).password),
      terminate: () => void this.terminated++,
    };
  }

  answer(matches: boolean): void {
    this.#events!.message(matches);
  }

  crash(): void {
    this.#events!.failed(new WorkerError("out of memory"));
  }
}

function scripted(options: Partial<PasswordVerifierOptions> = {}) {
  const worker = new ScriptedWorker();
  const clock = new VirtualClock();
  const startWorker = (events: WorkerEvents) => worker.start(events);
  return { worker, clock, verifier: new PasswordVerifier({ clock, startWorker, ...options }) };
}

Deno.test("hashes made by Go's bcrypt are checked in a real worker as Go checks them", async () => {
  using verifier = new PasswordVerifier({ clock: new SystemClock() });
  const hash = "$2a$04$KFQRFnhZZIUu4XT7n9UWvObZGzfXGRE1ShgINFwjWtNRVIm9spJHC";
  const long = "$2a$04$DgQcQSDiLMep0VyEgXPxFuD9K0udXBUMmb7iQpe0tQ/ZuiwNCM24O";
  const cases: [password: string, hash: string, matches: boolean][] = [
    ["correct horse", hash, true],
    ["correct horse", hash.replace("$2a$", "$2b$"), true],
    ["correct horse", hash.replace("$2a$", "$2x$"), true],
    ["correct horse", hash.replace("$2a$", "$2y$"), true],
    ["correct horse ", hash, false],
    [hash, hash, false],
    ["", hash, false],
    ["", "$2a$04$uE9eTYH4PrRlpvITW8g4GuF2eBMrr9Lt0Jk4wpsgTgmhtIWago2Ma", true],
    ["pässwörd 🔑", "$2a$04$3XVE6ZcY9blCRh8Xdg00DuRRFQVN8ArI4O65bcrAGl0wncbU.XE02", true],
    ["a\0b", "$2a$04$H4OabtzQVuS0yq40G945sOe71OVAjhpaeRIDmexYGBglQj5ktMIj6", true],
    ["a\0c", "$2a$04$H4OabtzQVuS0yq40G945sOe71OVAjhpaeRIDmexYGBglQj5ktMIj6", false],
    ["x".repeat(72), long, true],
    ["x".repeat(100), long, true],
    ["x".repeat(71), long, false],
    ["correct horse", "$2a$04$short", false],
    ["correct horse", hash.replace("$04$", "$99$"), false],
  ];
  const answers = cases.map(([password, hash]) => verifier.verify(password, hash));
  assertEquals(await Promise.all(answers), cases.map(([, , matches]) => matches));
});

Deno.test("the worker is started by the first check and ended by close", async () => {
  const { worker, clock, verifier } = scripted();
  assertEquals(worker.started, 0);
  for (const answer of [true, false]) {
    const check = verifier.verify("p", "h");
    worker.answer(answer);
    assertEquals(await check, answer);
  }
  assertEquals([worker.started, worker.terminated], [1, 0]);
  assertEquals(clock.pendingTimers, 0);
  verifier.close();
  verifier.close();
  assertEquals(worker.terminated, 1);
  await assertRejects(() => verifier.verify("p", "h"), VerifierFailedError, "closed");
});

Deno.test("checks run one at a time in the order asked", async () => {
  const { worker, verifier } = scripted();
  const checks = ["a", "b", "c"].map((password) => verifier.verify(password, "h"));
  assertEquals(worker.posted, ["a"]);
  worker.answer(false);
  assertEquals(worker.posted, ["a", "b"]);
  worker.answer(true);
  worker.answer(false);
  assertEquals(await Promise.all(checks), [false, true, false]);
  verifier.close();
});

Deno.test("a check beyond the bound is refused and those before it are not", async () => {
  const { worker, verifier } = scripted({ waitingMax: 2 });
  const checks = ["running", "first", "second"].map((password) => verifier.verify(password, "h"));
  await assertRejects(() => verifier.verify("third", "h"), VerifierOverloadedError, "2 bcrypt");
  worker.answer(true);
  checks.push(verifier.verify("fourth", "h"));
  for (let i = 0; i < 3; i++) worker.answer(true);
  assertEquals(await Promise.all(checks), [true, true, true, true]);
  assertEquals(worker.posted, ["running", "first", "second", "fourth"]);
  verifier.close();
});

Deno.test("a cancelled check never runs and frees its place", async () => {
  const { worker, verifier } = scripted({ waitingMax: 1 });
  const running = verifier.verify("running", "h");
  const client = new AbortController();
  const cancelled = verifier.verify("cancelled", "h", client.signal);
  client.abort(new Error("client left"));
  await assertRejects(() => cancelled, Error, "client left");
  await assertRejects(() => verifier.verify("late", "h", client.signal), Error, "client left");
  const next = verifier.verify("next", "h");
  worker.answer(true);
  worker.answer(true);
  assertEquals([await running, await next], [true, true]);
  assertEquals(worker.posted, ["running", "next"]);
  verifier.close();
});

Deno.test("a client that leaves during its check is heard no more; the next check runs", async () => {
  const { worker, verifier } = scripted();
  const client = new AbortController();
  const left = verifier.verify("left", "h", client.signal);
  const next = verifier.verify("next", "h");
  client.abort(new Error("client left"));
  await assertRejects(() => left, Error, "client left");
  assertEquals(worker.posted, ["left"]);
  worker.answer(true);
  worker.answer(false);
  assertEquals(await next, false);
  assertEquals(worker.terminated, 0);
  verifier.close();
});

Deno.test("a crash refuses the check it met, and another worker serves the rest", async () => {
  const { worker, clock, verifier } = scripted();
  const met = verifier.verify("met", "h");
  const rest = verifier.verify("rest", "h");
  worker.crash();
  await assertRejects(() => met, VerifierFailedError, "out of memory");
  assertEquals([worker.started, worker.terminated], [2, 1]);
  worker.answer(true);
  assert(await rest);
  worker.crash();
  assertEquals([worker.started, worker.terminated], [2, 2]);
  const after = verifier.verify("after", "h");
  worker.answer(true);
  assert(await after);
  assertEquals(worker.started, 3);
  assertEquals(clock.pendingTimers, 0);
  verifier.close();
});

Deno.test("a check that hangs is given up with its worker", async () => {
  const { worker, clock, verifier } = scripted({ checkTimeoutMs: 5_000 });
  const hung = verifier.verify("hung", "h");
  const rest = verifier.verify("rest", "h");
  const refused = assertRejects(() => hung, VerifierFailedError, "no answer within 5000 ms");
  await clock.advance(5_000);
  await refused;
  assertEquals([worker.started, worker.terminated], [2, 1]);
  worker.answer(true);
  assert(await rest);
  verifier.close();
});

Deno.test("closing refuses every check under way", async () => {
  const { worker, clock, verifier } = scripted();
  const checks = ["running", "waiting"].map((password) => verifier.verify(password, "h"));
  const refused = checks.map((check) => assertRejects(() => check, VerifierFailedError, "closed"));
  verifier.close();
  await Promise.all(refused);
  assertEquals(worker.posted, ["running"]);
  assertEquals(worker.terminated, 1);
  assertEquals(clock.pendingTimers, 0);
});
