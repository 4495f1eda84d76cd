import { assert, assertEquals } from "@std/assert";
import {
  byteStringBytes,
  infoFrame,
  NATS_VERSION,
  type ServerInfo,
} from "../../src/protocol/mod.ts";

const server: ServerInfo = {
  server_id: "N1",
  server_name: "naïve \u{1f600}",
  version: NATS_VERSION,
  go: "deno",
  proto: 1,
  host: "127.0.0.1",
  port: 4222,
  headers: true,
  max_payload: 1000,
};

Deno.test("INFO is one line of JSON in UTF-8, with a blank before its end", () => {
  const frame = infoFrame(server, { client_id: 7, client_ip: "::1" });
  assert(frame.startsWith("INFO {") && frame.endsWith("} \r\n"));
  assertEquals(frame.indexOf("\n"), frame.length - 1);
  const json = new TextDecoder("utf-8", { fatal: true })
    .decode(byteStringBytes(frame.slice("INFO ".length, -" \r\n".length)));
  assertEquals(JSON.parse(json), { ...server, client_id: 7, client_ip: "::1" });
});

Deno.test("what is not so is left out and not said to be false", () => {
  const frame = infoFrame(server, { client_id: 7, client_ip: "::1" });
  for (const field of ["auth_required", "ldm", "connect_info", "connect_urls", "remote_account"]) {
    assert(!frame.includes(field), field);
  }
  const full = infoFrame({ ...server, auth_required: true, ldm: true, connect_urls: ["a:1"] }, {
    client_id: 7,
    client_ip: "::1",
    connect_info: true,
    remote_account: "$G",
  });
  for (const field of ["auth_required", "ldm", "connect_info"]) {
    assert(full.includes(`"${field}":true`), field);
  }
  assert(full.includes(`"connect_urls":["a:1"]`));
});

Deno.test("clients see the version of nats-server whose protocol this is", () => {
  assert(/^\d+\.\d+\.\d+$/.test(NATS_VERSION));
});
