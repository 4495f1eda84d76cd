/**
 * Networks of IP addresses, as `src` of a user has them: `192.168.0.0/16`, `fd00::/8`.
 *
 * @module
 */

/** A network. */
export interface Network {
  /** Its address: 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** How many of its leading bits an address of it shares. */
  readonly bits: number;
}

/** The network that `text` names; null when it is none. */
export function parseNetwork(text: string): Network | null {
  const parts = /^([^/%]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  if (parts === null) return null;
  const address = parseAddress(parts[1]!);
  const bits = Number(parts[2]);
  if (address === null || bits > address.length * 8) return null;
  return { address, bits };
}

/** Whether one of `networks` has the address; false when `address` is none. */
export function isInNetwork(networks: readonly Network[], address: string): boolean {
  const bytes = unmapped(parseAddress(address));
  return bytes !== null && networks.some((network) => contains(network, bytes));
}

function contains({ address, bits }: Network, bytes: Uint8Array): boolean {
  if (address.length !== bytes.length) return false;
  for (let i = 0; i < address.length; i++) {
    const known = Math.min(8, Math.max(0, bits - i * 8));
    const mask = 0xff << (8 - known) & 0xff;
    if ((address[i]! & mask) !== (bytes[i]! & mask)) return false;
  }
  return true;
}

/** An IPv4 address in IPv6's clothes (`::ffff:10.0.0.1`) is the IPv4 address. */
function unmapped(bytes: Uint8Array | null): Uint8Array | null {
  if (bytes?.length !== 16) return bytes;
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.subarray(12) : bytes;
}

function parseAddress(text: string): Uint8Array | null {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    bytes[index] = Number(part);
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1]!, true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The 16-bit groups of one side of `::`; the last may be an IPv4 address where `isLast`. */
function groupsOf(text: string, isLast: boolean): number[] | null {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.includes(".")) {
      const bytes = isLast && index === parts.length - 1 ? parseIpv4(part) : null;
      if (bytes === null) return null;
      groups.push(bytes[0]! << 8 | bytes[1]!, bytes[2]! << 8 | bytes[3]!);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(parseInt(part, 16));
    else return null;
  }
  return groups;
}
