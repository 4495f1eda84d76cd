/**
 * A raw client over TLS.
 *
 * @module
 */
import { connect as connectTcp, type Socket } from "node:net";
import { connect, type ConnectionOptions } from "node:tls";

/** How long any wait of such a client may take, in milliseconds. */
const WAIT_LIMIT_MS = 8000;

/** How a client goes about TLS. */
export interface TlsClientOptions extends Pick<ConnectionOptions, "ca" | "cert" | "key"> {
  /** The name that the server's certificate must have; `localhost` if absent. */
  readonly servername?: string;
  /** Whether to begin with TLS, and not to wait for INFO. */
  readonly first?: boolean;
  /** What it says once TLS is there; CONNECT and PING if absent. */
  readonly say?: string;
  /** What it waits for; the answer to PING if absent. */
  readonly until?: string;
  /** The newest version it speaks. */
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3";
}

/** What a client has met with. */
export interface TlsConversation {
  /** What came in the clear. */
  readonly plain: string;
  /** What came over TLS, up to the answer to PING or the end. */
  readonly secret: string;
  /** Whether what was waited for has come. */
  readonly admitted: boolean;
  /** The error of the client, where there was one. */
  readonly error: string | null;
}

/** Connects, says CONNECT and PING over TLS, tells what came of it and hangs up. */
export async function tlsConversation(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  {
    first = false,
    servername = "localhost",
    say = 'CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n',
    until = "PONG\r\n",
    ...options
  }: TlsClientOptions = {},
): Promise<TlsConversation> {
  const socket = connectTcp({ host: hostname, port });
  let secure: Socket | null = null;
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const giveUp = setTimeout(() => resolve("nothing has happened for too long"), WAIT_LIMIT_MS);
  let plain = "", secret = "", admitted = false;
  const failed = (error: Error) => resolve(error.message);
  socket.on("error", failed);
  const upgrade = () => {
    secure = connect({ socket, servername, ...options }, () => {
      if (say !== "") secure!.write(say);
    });
    secure.on("error", failed);
    secure.on("close", () => resolve(null));
    secure.on("data", (chunk) => {
      secret += chunk.toString();
      if (!secret.includes(until)) return;
      admitted = true;
      resolve(null);
    });
  };
  if (first) socket.once("connect", upgrade);
  else {
    socket.on("close", () => resolve(null));
    socket.on("data", function onData(chunk) {
      plain += chunk.toString();
      if (!plain.includes("\r\n")) return;
      socket.removeListener("data", onData);
      socket.pause();
      upgrade();
    });
  }
  const error = await promise;
  clearTimeout(giveUp);
  const sockets = secure === null ? [socket] : [secure as Socket, socket];
  for (const each of sockets) {
    if (each.closed) continue;
    const closed = new Promise((done) => each.once("close", done));
    each.destroy();
    await closed;
  }
  return { plain, secret, admitted, error };
}
