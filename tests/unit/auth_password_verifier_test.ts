import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  Authenticator,
  PasswordVerifier,
  type PasswordVerifierOptions,
  Refusal,
  VerifierFailedError,
  VerifierOverloadedError,
} from "../../src/auth/mod.ts";
import type { BcryptCheck } from "../../src/auth/bcrypt_worker.ts";
import { WorkerError, type WorkerEvents } from "../../src/platform/mod.ts";
import { SystemClock } from "../../src/platform/system_clock.ts";
import { VirtualClock } from "../../src/platform/virtual_clock.ts";
import { peerWith } from "../support/identities.ts";

/** A worker that answers when the test says so; the newest one started is the one spoken to. */
class ScriptedWorker {
  started = 0;
  terminated = 0;
  readonly posted: string[] = [];
  #events: WorkerEvents | undefined;
  #wake = () => {};

  start(events: WorkerEvents) {
    this.started++;
    this.#events = events;
    return {
      post: (data: unknown) => {
        this.posted.push((data as BcryptCheck).password);
        this.#wake();
      },
      terminate: () => void this.terminated++,
    };
  }

  /** Resolves once the worker has been asked `count` questions in all. */
  async asked(count: number): Promise<void> {
    while (this.posted.length < count) await new Promise<void>((wake) => this.#wake = wake);
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
  await using verifier = new PasswordVerifier({ clock: new SystemClock() });
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
  for (const [i, answer] of [false, true].entries()) {
    const check = verifier.verify("p", "h");
    await worker.asked(i + 1);
    worker.answer(answer);
    assertEquals(await check, answer);
  }
  assertEquals([worker.started, worker.terminated], [1, 0]);
  assertEquals(clock.pendingTimers, 0);
  await verifier.close();
  await verifier.close();
  assertEquals(worker.terminated, 1);
  await assertRejects(() => verifier.verify("p", "h"), VerifierFailedError, "closed");
});

Deno.test("checks run one at a time in the order asked", async () => {
  const { worker, verifier } = scripted();
  const names = Array.from({ length: 50 }, (_, i) => `p${i}`);
  const checks = names.map((password) => verifier.verify(password, "h"));
  for (let i = 1; i <= 50; i++) {
    await worker.asked(i);
    assertEquals(worker.posted.length, i);
    worker.answer(i % 2 === 0);
  }
  assertEquals(await Promise.all(checks), names.map((_, i) => i % 2 === 1));
  assertEquals(worker.posted, names);
  await verifier.close();
});

Deno.test("a check beyond the bound is refused and those before it are not", async () => {
  const { worker, verifier } = scripted({ waitingMax: 2 });
  const checks = ["running", "first", "second"].map((password) => verifier.verify(password, "h"));
  await assertRejects(() => verifier.verify("third", "h"), VerifierOverloadedError, "2 bcrypt");
  worker.answer(true);
  checks.push(verifier.verify("fourth", "h"));
  await assertRejects(() => verifier.verify("fifth", "h"), VerifierOverloadedError, "2 bcrypt");
  for (let i = 0; i < 3; i++) worker.answer(true);
  assertEquals(await Promise.all(checks), [true, true, true, true]);
  assertEquals(worker.posted, ["running", "first", "second", "fourth"]);
  await verifier.close();
});

Deno.test("any number of callers with the same password take one place and one check", async () => {
  const { worker, verifier } = scripted({ waitingMax: 1 });
  const running = Array.from({ length: 500 }, () => verifier.verify("right", "h"));
  const waiting = Array.from({ length: 500 }, () => verifier.verify("wrong", "h"));
  await assertRejects(() => verifier.verify("other", "h"), VerifierOverloadedError, "1 bcrypt");
  running.push(verifier.verify("right", "h"));
  waiting.push(verifier.verify("wrong", "h"));
  worker.answer(true);
  worker.answer(false);
  assertEquals(await Promise.all(running), Array(501).fill(true));
  assertEquals(await Promise.all(waiting), Array(501).fill(false));
  assertEquals(worker.posted, ["right", "wrong"]);
  await verifier.close();
});

Deno.test("a password with another hash, or a decoy for another user, is another check", async () => {
  const { worker, verifier } = scripted();
  const asked = [
    verifier.verify("p", "h"),
    verifier.verify("p", "i"),
    verifier.verify("p", "h", undefined, ""),
    verifier.verify("p", "h", undefined, "nobody"),
  ];
  const same = verifier.verify("p", "h", undefined, "nobody");
  for (const [i, answer] of [true, false, false, true].entries()) {
    await worker.asked(i + 1);
    worker.answer(answer);
  }
  assertEquals(await Promise.all([...asked, same]), [true, false, false, true, true]);
  assertEquals(worker.posted.length, 4);
  await verifier.close();
});

Deno.test("callers of one check and look-ups are bounded", async () => {
  const { worker, verifier } = scripted({ callersMax: 2 });
  const shared = [verifier.verify("a", "h"), verifier.verify("a", "h")];
  await assertRejects(() => verifier.verify("a", "h"), VerifierOverloadedError, "2 callers");
  await worker.asked(1);
  await assertRejects(() => verifier.verify("a", "h"), VerifierOverloadedError, "2 callers");
  const lookedUp = [verifier.verify("b", "h"), verifier.verify("c", "h")];
  await assertRejects(() => verifier.verify("d", "h"), VerifierOverloadedError, "looked up");
  for (let i = 1; i <= 3; i++) {
    await worker.asked(i);
    worker.answer(true);
  }
  assertEquals(await Promise.all([...shared, ...lookedUp]), [true, true, true, true]);
  await verifier.close();
});

Deno.test("a cancelled check never runs and frees its place", async () => {
  const { worker, verifier } = scripted({ waitingMax: 1 });
  const running = verifier.verify("running", "h");
  const client = new AbortController();
  const cancelled = verifier.verify("cancelled", "h", client.signal);
  await assertRejects(() => verifier.verify("crowded out", "h"), VerifierOverloadedError);
  client.abort(new Error("client left"));
  await assertRejects(() => cancelled, Error, "client left");
  await assertRejects(() => verifier.verify("late", "h", client.signal), Error, "client left");
  const next = verifier.verify("next", "h");
  await assertRejects(() => verifier.verify("crowded out", "h"), VerifierOverloadedError);
  worker.answer(true);
  worker.answer(true);
  assertEquals([await running, await next], [true, true]);
  assertEquals(worker.posted, ["running", "next"]);
  await verifier.close();
});

Deno.test("a check that is cancelled while it is looked up never runs", async () => {
  const { worker, verifier } = scripted();
  const client = new AbortController();
  const cancelled = verifier.verify("cancelled", "h", client.signal);
  client.abort(new Error("client left"));
  const next = verifier.verify("next", "h");
  await assertRejects(() => cancelled, Error, "client left");
  await worker.asked(1);
  worker.answer(true);
  assert(await next);
  assertEquals(worker.posted, ["next"]);
  await verifier.close();
});

Deno.test("a shared check runs as long as one caller stays, and not when all have gone", async () => {
  const { worker, verifier } = scripted({ waitingMax: 2 });
  const running = verifier.verify("running", "h");
  const clients = Array.from({ length: 4 }, () => new AbortController());
  const [leaver, stayer, ...goers] = clients.map(({ signal }, i) =>
    verifier.verify(i < 2 ? "kept" : "dropped", "h", signal)
  );
  await assertRejects(() => verifier.verify("crowded out", "h"), VerifierOverloadedError);
  for (const i of [0, 2, 3]) clients[i]!.abort(new Error(`client ${i} left`));
  await assertRejects(() => leaver!, Error, "client 0 left");
  await assertRejects(() => goers[0]!, Error, "client 2 left");
  await assertRejects(() => goers[1]!, Error, "client 3 left");
  worker.answer(false);
  worker.answer(false);
  assertEquals([await running, await stayer], [false, false]);
  assertEquals(worker.posted, ["running", "kept"]);

  const again = verifier.verify("dropped", "h");
  await worker.asked(3);
  worker.answer(true);
  assert(await again);
  await verifier.close();
});

Deno.test("a client that leaves during its check is heard no more; the next check runs", async () => {
  const { worker, verifier } = scripted();
  const client = new AbortController();
  const left = verifier.verify("left", "h", client.signal);
  const next = verifier.verify("next", "h");
  await worker.asked(1);
  client.abort(new Error("client left"));
  await assertRejects(() => left, Error, "client left");
  const latecomer = verifier.verify("left", "h");
  worker.answer(true);
  assert(await latecomer);
  await worker.asked(2);
  worker.answer(false);
  assertEquals(await next, false);
  assertEquals(worker.posted, ["left", "next"]);
  assertEquals(worker.terminated, 0);
  await verifier.close();
});

Deno.test("a password that was right is accepted unasked for its time, with that hash only", async () => {
  const { worker, clock, verifier } = scripted({ provenMs: 60_000 });
  const ask = async (password: string, hash: string, answer: boolean) => {
    const check = verifier.verify(password, hash);
    await worker.asked(worker.posted.length + 1);
    worker.answer(answer);
    assertEquals(await check, answer);
  };
  await ask("p", "h", true);
  await clock.advance(59_999);
  assert(await verifier.verify("p", "h"));
  assertEquals(worker.posted.length, 1);
  await ask("p", "i", false);
  await ask("q", "h", false);
  await clock.advance(1);
  await ask("p", "h", false);
  await ask("p", "h", true);
  assert(await verifier.verify("p", "h"));
  await verifier.close();
});

Deno.test("a password that is remembered does not wait behind checks, nor is it refused", async () => {
  const { worker, verifier } = scripted({ waitingMax: 1 });
  const first = verifier.verify("right", "h");
  await worker.asked(1);
  worker.answer(true);
  assert(await first);
  const others = [verifier.verify("running", "h"), verifier.verify("waiting", "h")];
  await assertRejects(() => verifier.verify("crowded out", "h"), VerifierOverloadedError);
  assert(await verifier.verify("right", "h"));
  worker.answer(false);
  worker.answer(false);
  assertEquals(await Promise.all(others), [false, false]);
  await verifier.close();
});

Deno.test("neither a wrong password nor a failure is remembered", async () => {
  const { worker, verifier } = scripted();
  for (const end of [() => worker.answer(false), () => worker.crash(), () => worker.answer(true)]) {
    const check = verifier.verify("p", "h").catch((error) => error.name);
    await worker.asked(worker.posted.length + 1);
    end();
    await check;
  }
  assertEquals(worker.posted.length, 3);
  assert(await verifier.verify("p", "h"));
  await verifier.close();
});

Deno.test("a decoy always runs, and its success proves nothing", async () => {
  const { worker, verifier } = scripted();
  const users = [undefined, "nobody", "nobody"];
  for (const [i, decoyFor] of users.entries()) {
    const check = verifier.verify("right", "h", undefined, decoyFor);
    await worker.asked(i + 1);
    worker.answer(true);
    assert(await check);
  }
  const decoy = verifier.verify("other", "h", undefined, "nobody");
  await worker.asked(4);
  worker.answer(true);
  assert(await decoy);
  const known = verifier.verify("other", "h");
  await worker.asked(5);
  worker.answer(false);
  assertEquals(await known, false);
  await verifier.close();
});

Deno.test("who knows one user's password cannot tell by the time who else exists", async () => {
  const { worker, verifier } = scripted();
  const hashes = ["a", "b"].map((letter) => "$2b$10$" + letter.repeat(53));
  const authenticator = new Authenticator({
    users: [
      { user: "known", password: hashes[0] },
      { user: "other", password: hashes[1] },
      { user: "plain", password: "secret" },
    ],
  }, verifier);
  const peer = peerWith();
  const known = authenticator.authenticate({ user: "known", pass: "right" }, peer);
  await worker.asked(1);
  worker.answer(true);
  assertEquals(await known, { user: "known", account: "$G" });
  assertEquals(await authenticator.authenticate({ user: "known", pass: "right" }, peer), {
    user: "known",
    account: "$G",
  });
  const users = ["other", "plain", "nobody", "somebody", ""];
  for (let round = 0; round < 2; round++) {
    const decisions = users.map((user) =>
      authenticator.authenticate({ user, pass: "right" }, peer)
    );
    for (const [i, user] of users.entries()) {
      await worker.asked(2 + round * users.length + i);
      worker.answer(user !== "other");
    }
    for (const decision of await Promise.all(decisions)) assertInstanceOf(decision, Refusal);
  }
  assertEquals(worker.posted.length, 1 + 2 * users.length);
  await verifier.close();
});

Deno.test("a crash refuses the check it met, and another worker serves the rest", async () => {
  const { worker, clock, verifier } = scripted();
  const met = [verifier.verify("met", "h"), verifier.verify("met", "h")];
  const rest = verifier.verify("rest", "h");
  await worker.asked(1);
  worker.crash();
  for (const check of met) await assertRejects(() => check, VerifierFailedError, "out of memory");
  await worker.asked(2);
  assertEquals([worker.started, worker.terminated], [2, 1]);
  worker.answer(true);
  assert(await rest);
  worker.crash();
  assertEquals([worker.started, worker.terminated], [2, 2]);
  const after = verifier.verify("after", "h");
  await worker.asked(3);
  worker.answer(true);
  assert(await after);
  assertEquals(worker.started, 3);
  assertEquals(clock.pendingTimers, 0);
  await verifier.close();
});

Deno.test("a check that hangs is given up with its worker", async () => {
  const { worker, clock, verifier } = scripted({ checkTimeoutMs: 5_000 });
  const hung = verifier.verify("hung", "h");
  const rest = verifier.verify("rest", "h");
  await worker.asked(1);
  const refused = assertRejects(() => hung, VerifierFailedError, "no answer within 5000 ms");
  await clock.advance(5_000);
  await refused;
  await worker.asked(2);
  assertEquals([worker.started, worker.terminated], [2, 1]);
  worker.answer(true);
  assert(await rest);
  await verifier.close();
});

Deno.test("closing refuses every check under way", async () => {
  const { worker, clock, verifier } = scripted({ waitingMax: 1 });
  const checks = ["running", "waiting"].map((password) => verifier.verify(password, "h"));
  await assertRejects(() => verifier.verify("crowded out", "h"), VerifierOverloadedError);
  checks.push(verifier.verify("looked up", "h"), verifier.verify("running", "h"));
  const refused = checks.map((check) => assertRejects(() => check, VerifierFailedError, "closed"));
  const closing = verifier.close();
  await Promise.all(refused);
  await closing;
  assertEquals(worker.posted, ["running"]);
  assertEquals(worker.terminated, 1);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("a worker that cannot be started fails the checks at once, and throws nowhere else", async () => {
  const clock = new VirtualClock();
  await using verifier = new PasswordVerifier({
    clock,
    startWorker: () => {
      throw new Error("no permission");
    },
  });
  const checks = [1, 2, 3].map((n) => verifier.verify(`password ${n}`, "$2a$04$x"));
  for (const check of checks) {
    await assertRejects(
      () => check,
      VerifierFailedError,
      "cannot be started: Error: no permission",
    );
  }
  await clock.advance(60_000);
});
