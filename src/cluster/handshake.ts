/**
 * How two servers get to know each other.
 *
 * Whoever was dialled sends INFO at once. Whoever dials sends CONNECT at once, and INFO at once or only
 * after the other's: that is so where it says something that depends on the other's, the place in the
 * pool or the compression. Where both compress, that INFO is the last thing in the clear, and each side
 * says INFO once more, compressed.
 *
 * @module
 */
import {
  type CloseReason,
  ERROR_TEXT,
  parseRouteConnect,
  parseRouteInfo,
  type RouteConnect,
  routeConnectFrame,
  type RouteInfo,
  routeInfoFrame,
} from "../protocol/mod.ts";
import { type ActiveMode, declined, negotiate, UnknownCompressionError } from "./compression.ts";
import type { RouteEnvironment } from "./environment.ts";
import type { Registration } from "./mesh.ts";
import {
  CLIENT_ON_ROUTE_PORT,
  gatewayOnRoutePort,
  otherCluster,
  type Refusal,
  ROUTE_ON_CLIENT_PORT,
  sameName,
  SELF,
  unwantedPoolIndex,
} from "./refusal.ts";
import type { RouteSession } from "./session.ts";

/** What is waited for: the peer's first INFO, or the one that it repeats compressed. */
type Stage = "connect" | "info" | "compressed info" | "place" | "done";

/** The handshake of one connection. */
export class Handshake {
  readonly #environment: RouteEnvironment;
  readonly #session: RouteSession;
  #stage: Stage = "connect";
  /** What the peer said of itself, last. */
  #info: RouteInfo | null = null;
  #compression: ActiveMode | null = null;
  /** What INFO is to say about compression once that is decided. */
  #agreed: string | null = null;
  #infoSent = false;
  #beganAtMs = 0;
  /** What CONNECT has said; null before. */
  #connect: RouteConnect | null = null;

  /** A handshake that has not begun. */
  constructor(environment: RouteEnvironment, session: RouteSession) {
    this.#environment = environment;
    this.#session = session;
  }

  /** What the peer said of itself, or null. */
  get peerInfo(): RouteInfo | null {
    return this.#info;
  }

  /**
   * What CONNECT has said, while INFO has not come: nats-server takes interest and messages already,
   * and tells the peer of none before. Null where that is not so.
   */
  get introduced(): RouteConnect | null {
    return this.#stage === "info" ? this.#connect : null;
  }

  /** The connection is there: says what is said first. */
  begin(): void {
    const { settings, clusterName, clock, info, tls } = this.#environment;
    const session = this.#session, { solicited } = session;
    this.#beganAtMs = clock.monotonic();
    if (solicited === null) {
      this.#sendInfo(settings.compression.mode);
      this.#setDeadline();
      return;
    }
    this.#stage = "info";
    this.#setDeadline();
    session.sendNow(routeConnectFrame({
      id: info().server_id,
      cluster: clusterName.name,
      clusterDynamic: clusterName.dynamic,
      user: solicited.user,
      password: solicited.password,
      tls: tls() !== null,
    }));
    const mode = settings.compression.mode;
    const depends = mode !== "off" || (settings.poolSize > 0 && solicited.account === "");
    if (!depends) this.#sendInfo(mode);
  }

  #setDeadline(): void {
    const { settings, wheel, authenticate } = this.#environment;
    const inAllMs = settings.pingIntervalMs * (settings.pingMax + 1);
    const limitMs = this.#stage === "connect" && authenticate !== null
      ? Math.min(inAllMs, settings.authTimeoutMs)
      : inAllMs;
    wheel.schedule(this.#session, this.#beganAtMs + limitMs);
  }

  /** It took too long. */
  overdue(): Refusal {
    const { settings, authenticate } = this.#environment;
    const inAllMs = settings.pingIntervalMs * (settings.pingMax + 1);
    return this.#stage === "connect" && authenticate !== null && settings.authTimeoutMs < inAllMs
      ? { reason: "authenticationTimeout", text: ERROR_TEXT.authenticationTimeout }
      : { reason: "staleConnection", text: ERROR_TEXT.stale };
  }

  /** CONNECT of whoever has dialled. */
  connect(json: string): void {
    const session = this.#session, { authenticate } = this.#environment;
    const connect = parseRouteConnect(json);
    if (connect === null || session.solicited !== null) {
      session.close("protocolViolation");
      return;
    }
    if (this.#stage !== "connect") return;
    if (connect.lang !== "") return session.refuse(CLIENT_ON_ROUTE_PORT);
    if (connect.gateway !== "") return session.refuse(gatewayOnRoutePort(connect.gateway));
    const goOn = () => {
      const { clusterName, mesh } = this.#environment;
      const ours = clusterName.name;
      switch (clusterName.agree(connect.cluster, connect.cluster_dynamic)) {
        case "conflict":
          return session.refuse(otherCluster(connect.cluster, ours, true));
        case "adopted":
          mesh.renamed(connect.name);
      }
      this.#connect = connect;
      session.admitted(connect.verbose);
      this.#stage = "info";
      this.#setDeadline();
    };
    if (authenticate === null) return goOn();
    session.deciding();
    session.wait(
      authenticate(connect.user, connect.pass, session.certificate, session.address.hostname).then(
        (admitted) => {
          if (session.closing !== null) return;
          if (admitted) goOn();
          else {
            session.refuse({
              reason: "authenticationFailure",
              text: ERROR_TEXT.authorization,
              log: "authentication error",
            });
          }
        },
      ),
    );
  }

  /** INFO of the peer. */
  info(json: string): void {
    const session = this.#session, info = parseRouteInfo(json.trimEnd());
    if (info === null) return session.close("protocolViolation");
    switch (this.#stage) {
      case "connect":
      case "place":
        return session.close("protocolViolation");
      case "done":
        return this.#environment.mesh.news(session, info);
      default:
        return this.#first(info);
    }
  }

  /** One of the INFOs that set the connection up. */
  #first(said: RouteInfo): void {
    const session = this.#session, isSecond = this.#stage === "compressed info";
    // A server without an id is taken as well; CONNECT's is as good.
    const info = said.server_id === "" ? { ...said, server_id: this.#connect?.name ?? "" } : said;
    const refusal = this.#objection(info);
    this.#info = info;
    if (refusal !== null) return session.refuse(refusal);
    if (!isSecond) {
      const configured = this.#environment.settings.compression.mode;
      try {
        this.#compression = negotiate(configured, info.compression);
      } catch (error) {
        if (!(error instanceof UnknownCompressionError)) throw error;
        return session.refuse({ reason: "protocolViolation", text: error.message });
      }
      if (this.#compression !== null) return this.#compress(this.#compression);
      this.#agreed = declined(info.compression);
    }
    this.#register(info);
  }

  #objection(info: RouteInfo): Refusal | null {
    const { clusterName, mesh, info: own } = this.#environment, { server_id, server_name } = own();
    if (this.#info !== null && this.#info.server_id !== info.server_id) {
      return { reason: "protocolViolation", text: null, log: "Server id changed in the handshake" };
    }
    // Its name, cluster and pings are those of a server: it would pass for a route that works.
    if (info.client_id !== undefined && this.#session.solicited !== null) {
      return ROUTE_ON_CLIENT_PORT;
    }
    if (info.server_id === server_id) return SELF;
    if (info.server_name === server_name) return sameName(server_name);
    if (info.cluster === "") return null;
    const ours = clusterName.name;
    switch (clusterName.agree(info.cluster, info.cluster_dynamic === true)) {
      case "conflict":
        return otherCluster(info.cluster, ours, false);
      case "adopted":
        mesh.renamed(info.server_id);
        // CONNECT has said the old name, which the peer refuses.
        return this.#session.solicited === null
          ? null
          : { reason: "clusterNameConflict", text: null };
      default:
        return null;
    }
  }

  /** Both compress: the last words in the clear, and the first ones that are compressed. */
  #compress(mode: ActiveMode): void {
    const session = this.#session;
    this.#agreed = mode;
    this.#stage = "compressed info";
    session.decompress();
    if (session.solicited !== null) this.#sendInfo(mode);
    session.compress(mode);
    if (session.solicited === null) this.#sendInfo(mode);
  }

  #register(info: RouteInfo): void {
    const session = this.#session, { solicited } = session, { mesh } = this.#environment;
    if (solicited !== null && info.route_pool_idx !== undefined && info.route_pool_idx !== 0) {
      return session.refuse(unwantedPoolIndex(info.route_pool_idx));
    }
    if (session.remotes.size > 0 && info.route_account !== undefined) {
      return session.refuse({
        reason: "protocolViolation",
        text: null,
        log: "Interest or a message before INFO on a dedicated route",
      });
    }
    this.#stage = "place";
    const registration = mesh.register(session, info);
    if (!(registration instanceof Promise)) return this.#placed(registration, info);
    session.wait(
      registration.then((placed) => {
        if (session.closing === null) this.#placed(placed, info);
      }),
      true,
    );
  }

  #placed(registration: Registration, info: RouteInfo): void {
    const session = this.#session, { solicited } = session;
    if (registration !== "registered") return session.refuse(registration);
    this.#stage = "done";
    // Immediate INFO has said it all already, unless it was the one before compression.
    if (solicited !== null && (!this.#infoSent || this.#compression !== null)) {
      this.#sendInfo(this.#agreed!);
    }
    solicited?.registered(info);
    this.#environment.mesh.established(session, info);
  }

  /** Why the connection is closed goes to whoever has dialled it. */
  ended(reason: CloseReason): void {
    this.#session.solicited?.closed(reason, this.#info);
  }

  #sendInfo(compression: string): void {
    const { info, settings, random } = this.#environment;
    const session = this.#session, { solicited } = session;
    this.#infoSent = true;
    session.sendNow(routeInfoFrame({
      ...info(),
      nonce: nonce(random.bytes(NONCE_BYTES)),
      compression,
      ...(settings.poolSize > 0 && { route_pool_size: settings.poolSize }),
      ...(session.slot > 0 && { route_pool_idx: session.slot }),
      ...(solicited !== null && solicited.account !== "" && { route_account: solicited.account }),
      ...(solicited !== null && solicited.gossipMode !== 0 &&
        { gossip_mode: solicited.gossipMode }),
    }, true));
  }
}

/** Makes 15 characters, as many as nats-server's. */
const NONCE_BYTES = 11;

function nonce(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
