import { assertEquals, assertRejects } from "@std/assert";
import { ProcessFiles, type ProcessFilesOptions } from "../../src/monitor/mod.ts";
import { FileError } from "../../src/platform/mod.ts";
import { MemoryFiles } from "../support/memory_files.ts";

function setup(options: Partial<ProcessFilesOptions> = {}) {
  const files = new MemoryFiles();
  const processFiles = new ProcessFiles({
    files,
    pid: 17,
    pidFile: "run/broker.pid",
    portsFileFolder: "run",
    networkAddresses: () => ["10.0.0.1", "fe80::1"],
    ...options,
  });
  const ports = () => JSON.parse(files.text("run/nats-server_17.ports")!);
  return { files, processFiles, ports };
}

Deno.test("the pid file holds the number and nothing else", async () => {
  const { files, processFiles } = setup();
  await processFiles.write({ nats: { hostname: "127.0.0.1", port: 4222 } });
  assertEquals(files.text("run/broker.pid"), "17");
});

Deno.test("the ports file names the listeners that exist", async () => {
  const { processFiles, ports } = setup();
  await processFiles.write({
    nats: { hostname: "127.0.0.1", port: 4222 },
    cluster: { hostname: "::1", port: 6222 },
  });
  assertEquals(ports(), { nats: ["nats://127.0.0.1:4222"], cluster: ["nats://[::1]:6222"] });
});

Deno.test("a listener on all addresses is there under each of them", async () => {
  const { processFiles, ports } = setup();
  await processFiles.write({ nats: { hostname: "::", port: 4222 } });
  assertEquals(ports(), { nats: ["nats://10.0.0.1:4222", "nats://[fe80::1]:4222"] });
});

Deno.test("a listener on all IPv4 addresses is there under these only", async () => {
  const { processFiles, ports } = setup();
  await processFiles.write({ nats: { hostname: "0.0.0.0", port: 4222 } });
  assertEquals(ports(), { nats: ["nats://10.0.0.1:4222"] });
});

Deno.test("a machine that tells no address has at least its own", async () => {
  const { processFiles, ports } = setup({ networkAddresses: () => [] });
  await processFiles.write({ nats: { hostname: "0.0.0.0", port: 1 } });
  assertEquals(ports(), { nats: ["nats://127.0.0.1:1"] });
});

Deno.test("a slash at the folder's end makes no difference", async () => {
  const { files, processFiles } = setup({ portsFileFolder: "run//" });
  await processFiles.write({ nats: { hostname: "127.0.0.1", port: 1 } });
  assertEquals(files.paths, ["run/broker.pid", "run/nats-server_17.ports"]);
});

Deno.test("at the end the ports file goes, the pid file stays", async () => {
  const { files, processFiles } = setup();
  await processFiles.write({ nats: { hostname: "127.0.0.1", port: 1 } });
  await processFiles.remove();
  assertEquals(files.paths, ["run/broker.pid"]);
  await processFiles.remove();
});

Deno.test("nothing is written that is not configured", async () => {
  const { files, processFiles } = setup({ pidFile: undefined, portsFileFolder: undefined });
  await processFiles.write({ nats: { hostname: "127.0.0.1", port: 1 } });
  await processFiles.remove();
  assertEquals(files.paths, []);
});

Deno.test("a start that fails removes the pid file that it made, and only that", async () => {
  for (const before of [undefined, "99"]) {
    const files = new MemoryFiles();
    if (before !== undefined) await files.writeText("run/broker.pid", before);
    const { processFiles } = setup({ files });
    const writeText = files.writeText.bind(files);
    files.writeText = (path, text) =>
      path.endsWith(".ports")
        ? Promise.reject(new FileError(`${path}: no space left`))
        : writeText(path, text);
    await assertRejects(() => processFiles.write({}), FileError, "no space left");
    assertEquals(files.paths, before === undefined ? [] : ["run/broker.pid"]);
    // What was never written cannot be removed.
    files.failing.add("remove");
    await processFiles.remove();
  }
});

Deno.test("a process that ends at once removes the ports file before it does", async () => {
  const { files, processFiles } = setup();
  await processFiles.write({ nats: { hostname: "127.0.0.1", port: 1 } });
  processFiles.removeSync();
  assertEquals(files.paths, ["run/broker.pid"]);
  processFiles.removeSync();
});

Deno.test("a file that cannot be written is an error of the start", async () => {
  const files = new MemoryFiles();
  files.writeText = (path) => Promise.reject(new FileError(`${path}: no space left`));
  const { processFiles } = setup({ files });
  await assertRejects(() => processFiles.write({}), FileError, "run/broker.pid: no space left");
});
