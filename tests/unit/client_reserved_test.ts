import { assertEquals } from "@std/assert";
import { isReservedReply, isReservedSubject } from "../../src/client/reserved.ts";
import { toBytes } from "../support/wire_text.ts";

/** Subject, whether it may not be published to, whether it may not be a reply. */
const CASES: readonly [subject: string, asSubject: boolean, asReply: boolean][] = [
  ["foo", false, false],
  ["", false, false],
  ["_", false, false],
  ["$", false, false],
  ["_GR_.x", true, true],
  ["_GR_.x.y", true, true],
  ["_GR_.", false, false],
  ["_GR_", false, false],
  ["_gr_.x", false, false],
  ["_GR_x", false, false],
  ["x_GR_.x", false, false],
  ["$GR.x", true, true],
  ["$GR.", false, false],
  ["$NRG.x", true, false],
  ["$NRG.", true, false],
  ["$NRG", false, false],
  ["_R_.x", false, true],
  ["_R_.", false, true],
  ["_R_", false, false],
  ["$JS.ACK.x", false, true],
  ["$JS.ACK.", false, false],
  ["$JS.API.x", false, false],
  ["$SYS.x", false, false],
  ["_INBOX.x", false, false],
];

for (const [subject, asSubject, asReply] of CASES) {
  Deno.test(`reserved: ${JSON.stringify(subject)}`, () => {
    // Neighbouring bytes do not matter.
    const bytes = toBytes(`$NRG.${subject}.x`), start = 5, end = start + subject.length;
    assertEquals(isReservedSubject(bytes, start, end), asSubject);
    assertEquals(isReservedReply(bytes, start, end), asReply);
  });
}
