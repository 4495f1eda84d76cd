/**
 * The little of DER (X.690) that certificates need.
 *
 * @module
 */

/** Bytes that are no DER, or not of the form that is expected. */
export class DerError extends Error {
  /** Always `"DerError"`. */
  override readonly name = "DerError";
}

/** One element: a tag and its content. */
export interface DerElement {
  /** Its first byte. */
  readonly tag: number;
  /** Where it begins, its tag included. */
  readonly at: number;
  /** Where its content begins. */
  readonly start: number;
  /** Behind its last byte. */
  readonly end: number;
}

/** Tags of the elements that occur in certificates. */
export const DER = {
  boolean: 0x01,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  printable: 0x13,
  teletex: 0x14,
  ia5: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmp: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The element at `at`, which ends no later than `limit`. */
export function derElement(bytes: Uint8Array, at: number, limit: number): DerElement {
  if (at + 2 > limit) throw new DerError("an element is cut off");
  const tag = bytes[at]!;
  if ((tag & 0x1f) === 0x1f) throw new DerError("a tag of several bytes");
  let start = at + 2, length = bytes[at + 1]!;
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count === 0 || count > 4 || start + count > limit) throw new DerError("a wrong length");
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + bytes[start++]!;
  }
  const end = start + length;
  if (end > limit) throw new DerError("an element is cut off");
  return { tag, at, start, end };
}

/** The elements inside another. */
export function derChildren(bytes: Uint8Array, parent: DerElement): DerElement[] {
  const children: DerElement[] = [];
  for (let at = parent.start; at < parent.end;) {
    const child = derElement(bytes, at, parent.end);
    children.push(child);
    at = child.end;
  }
  return children;
}

/**
 * An object identifier in dotted form.
 *
 * @throws {DerError} when the element is another, or none.
 */
export function derOid(bytes: Uint8Array, element: DerElement | undefined): string {
  if (element?.tag !== DER.oid) throw new DerError("no object identifier");
  const parts: number[] = [];
  let value = 0;
  for (let at = element.start; at < element.end; at++) {
    const byte = bytes[at]!;
    value = value * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(value)) throw new DerError("an object identifier is too large");
    if (byte >= 0x80) continue;
    if (parts.length === 0) {
      const first = Math.min(2, Math.floor(value / 40));
      parts.push(first, value - 40 * first);
    } else parts.push(value);
    value = 0;
  }
  return parts.join(".");
}

/** The text of a string element; null where it is none that is known. */
export function derText(bytes: Uint8Array, { tag, start, end }: DerElement): string | null {
  const content = bytes.subarray(start, end);
  switch (tag) {
    case DER.utf8:
      return new TextDecoder().decode(content);
    case DER.printable:
    case DER.teletex:
    case DER.ia5:
      return latin1(content);
    case DER.bmp:
      return new TextDecoder("utf-16be").decode(content);
    default:
      return null;
  }
}

/** Each byte as the character of its number. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** A point in time, in wall-clock milliseconds. */
export function derTime(bytes: Uint8Array, { tag, start, end }: DerElement): number {
  const text = latin1(bytes.subarray(start, end));
  const match = /^(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const isLong = tag === DER.generalizedTime;
  if (match === null || (match[1] !== undefined) !== isLong || !(isLong || tag === DER.utcTime)) {
    throw new DerError("no time");
  }
  const [, century, short, month, day, hour, minute, second] = match;
  // RFC 5280, 4.1.2.5.1: two digits of a year stand for 1950 to 2049.
  const year = isLong
    ? Number(`${century}${short}`)
    : Number(short) + (Number(short) < 50 ? 2000 : 1900);
  return Date.UTC(
    year,
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
}
