/**
 * A client that shows a server who it is, and what comes of it.
 *
 * @module
 */
import type { KeyPair } from "@nats-io/nkeys";
import type { ServerAddress } from "./conversation.ts";

/** What a client shows, and does when it is let in. */
export interface Showing {
  /** Fields of CONNECT. */
  readonly connect?: Readonly<Record<string, unknown>>;
  /** Signs the nonce, if there is one. */
  readonly signer?: KeyPair;
  /** How the signature is written; in base64url without padding if absent. */
  readonly write?: (signature: Uint8Array) => string;
  /** Which written signatures will do: for another, the client connects again and is given another nonce. */
  readonly fits?: (written: string) => boolean;
  /** Lines to send behind the first PONG. */
  readonly then?: string;
}

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** How long a server may take for one answer, in milliseconds. */
const LIMIT_MS = 20_000;
/** How often a client asks for a nonce whose signature fits. */
const NONCES = 100;

/**
 * What a server answers: `refused: <text>`, or `in <account>`, and what it says to the lines that are sent
 * then.
 */
export async function show(address: ServerAddress, showing: Showing): Promise<string> {
  for (let i = 0; i < NONCES; i++) {
    const answer = await showOnce(address, showing);
    if (answer !== null) return answer;
  }
  throw new Error("no signature fits");
}

async function showOnce(address: ServerAddress, showing: Showing): Promise<string | null> {
  const { hostname, port } = address;
  using connection = await Deno.connect({ hostname, port });
  const limit = setTimeout(() => connection.close(), LIMIT_MS);
  try {
    return await converse(connection, showing);
  } finally {
    clearTimeout(limit);
  }
}

async function converse(connection: Deno.TcpConn, showing: Showing): Promise<string | null> {
  const chunk = new Uint8Array(65_536);
  let text = "";
  const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(text);
      if (match !== null) {
        text = text.slice(match.index + match[0].length);
        return match;
      }
      const count = await connection.read(chunk);
      if (count === null) throw new Error(`hung up after ${JSON.stringify(text.slice(-200))}`);
      text += decoder.decode(chunk.subarray(0, count));
    }
  };
  const [, info] = await until(/INFO (\{.*\})\s*\r\n/);
  const { nonce = "" } = JSON.parse(info!);
  const write = showing.write ??
    ((signature) => signature.toBase64({ alphabet: "base64url", omitPadding: true }));
  const signature = showing.signer?.sign(encoder.encode(nonce));
  const sig = signature && write(signature);
  if (sig !== undefined && showing.fits?.(sig) === false) return null;
  const connect = { verbose: false, pedantic: false, protocol: 1, sig, ...showing.connect };
  await connection.write(encoder.encode(`CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`));
  const [answer] = await until(/PONG\r\n|-ERR '.*'\r\n/);
  if (answer !== "PONG\r\n") return `refused: ${answer.slice(6, -3)}`;
  // The first PONG is followed by an INFO that says where the client is.
  const [, welcome] = await until(/INFO (\{.*\})\s*\r\n/);
  const account = JSON.parse(welcome!).remote_account ?? "$G";
  if (showing.then === undefined) return `in ${account}`;
  await connection.write(encoder.encode(`${showing.then}PING\r\n`));
  // Something of it may be too much for the server.
  const said = await until(/[^]*PONG\r\n/).then(
    ([said]) => said.slice(0, -6),
    () => `${text}hung up`,
  );
  // Subscribers may be served in any order.
  return `in ${account}: ${said.replace(/\r\n$/, "").split("\r\n").sort().join("|")}`;
}
