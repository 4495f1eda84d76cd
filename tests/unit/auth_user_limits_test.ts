import { assertEquals } from "@std/assert";
import { allowedUntilMs, isTimeZone } from "../../src/auth/allowed_times.ts";
import { isInNetwork, parseNetwork } from "../../src/auth/network.ts";

Deno.test("addresses are in networks of their own kind", () => {
  const cases: [string, string, boolean][] = [
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["192.168.4.0/22", "192.168.7.255", true],
    ["192.168.4.0/22", "192.168.8.0", false],
    ["192.168.4.1/32", "192.168.4.1", true],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "::1", false],
    ["fd00::/8", "fdff:1::2", true],
    ["fd00::/8", "fe80::1", false],
    ["2001:db8::/33", "2001:db8:7fff::", true],
    ["2001:db8::/33", "2001:db8:8000::", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["::/0", "10.1.2.3", false],
    ["10.0.0.0/8", "memory", false],
    ["10.0.0.0/8", "", false],
  ];
  for (const [network, address, isIn] of cases) {
    assertEquals(isInNetwork([parseNetwork(network)!], address), isIn, `${address} in ${network}`);
  }
});

Deno.test("what is no network is none", () => {
  const none = ["10.0.0.1", "10.0.0.0/33", "10.0.0/8", "010.0.0.0/8", "::/129", "1::2::3/8", ":/8"];
  for (const text of [...none, "/8", "", "10.0.0.0/-1", "256.0.0.0/8", "1:2:3:4:5:6:7/8", "x/8"]) {
    assertEquals(parseNetwork(text), null, text);
  }
});

Deno.test("times of day are those of their zone, when its clocks change, too", () => {
  const until = (zone: string, at: string, start: string, end: string) => {
    const ms = allowedUntilMs([{ start, end }], zone, Date.parse(at));
    return ms === null ? null : new Date(ms).toISOString();
  };
  assertEquals(
    until("UTC", "2026-05-01T12:00:00Z", "11:00:00", "13:00:00"),
    "2026-05-01T13:00:00.000Z",
  );
  assertEquals(until("UTC", "2026-05-01T13:00:00Z", "11:00:00", "13:00:00"), null);
  assertEquals(until("UTC", "2026-05-01T11:00:00Z", "11:00:00", "13:00:00"), null);
  assertEquals(
    until("UTC", "2026-05-01T23:00:00Z", "22:00:00", "06:00:00"),
    "2026-05-02T06:00:00.000Z",
  );
  assertEquals(
    until("UTC", "2026-05-01T05:00:00Z", "22:00:00", "06:00:00"),
    "2026-05-01T06:00:00.000Z",
  );
  assertEquals(until("UTC", "2026-05-01T07:00:00Z", "22:00:00", "06:00:00"), null);
  const berlin = "Europe/Berlin";
  assertEquals(
    until(berlin, "2026-01-15T12:30:00Z", "13:00:00", "14:00:00"),
    "2026-01-15T13:00:00.000Z",
  );
  assertEquals(until(berlin, "2026-07-15T12:30:00Z", "13:00:00", "14:00:00"), null);
  // The night before summer time is an hour shorter.
  assertEquals(
    until(berlin, "2026-03-28T22:00:00Z", "22:00:00", "06:00:00"),
    "2026-03-29T04:00:00.000Z",
  );
  assertEquals(
    until(berlin, "2026-10-24T21:00:00Z", "22:00:00", "06:00:00"),
    "2026-10-25T05:00:00.000Z",
  );
});

Deno.test("the latest end of several times counts", () => {
  const times = [
    { start: "10:00:00", end: "13:00:00" },
    { start: "11:00:00", end: "15:00:00" },
    { start: "16:00:00", end: "17:00:00" },
  ];
  const at = Date.parse("2026-05-01T12:00:00Z");
  assertEquals(allowedUntilMs(times, "UTC", at), Date.parse("2026-05-01T15:00:00Z"));
});

Deno.test("time zones are IANA's", () => {
  assertEquals(["UTC", "America/New_York", "", "Mars/Base"].map(isTimeZone), [
    true,
    true,
    true,
    false,
  ]);
});
