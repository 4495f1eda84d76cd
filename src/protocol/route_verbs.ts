/**
 * The verbs that a route may send.
 *
 * @module
 */
import {
  CONNECT_VERB,
  ERR_VERB,
  INFO_VERB,
  OK_VERB,
  PING_VERB,
  PONG_VERB,
  type Verb,
  verb,
} from "./client_verbs.ts";

/** RS+: somebody at the peer subscribes. */
export const RS_ADD_VERB = verb("RS+", "blank");
/** RS-: nobody does any more. */
export const RS_REMOVE_VERB = verb("RS-", "blank");
/** LS+: RS+ on behalf of leaf nodes. */
export const LS_ADD_VERB = verb("LS+", "blank");
/** LS-: RS- on behalf of leaf nodes. */
export const LS_REMOVE_VERB = verb("LS-", "blank");
/** A+: something that only gateways say. */
export const A_ADD_VERB = verb("A+", "blank");
/** A-: likewise. */
export const A_REMOVE_VERB = verb("A-", "blank");
/** RMSG: a message without headers. */
export const RMSG_VERB = verb("RMSG", "blank");
/** HMSG: a message with headers. */
export const HMSG_VERB = verb("HMSG", "blank");
/** LMSG: a message from a leaf node. */
export const LMSG_VERB = verb("LMSG", "blank");

/** The verbs that routes know, sorted by their bytes. No verb is a prefix of another. */
export const ROUTE_VERBS: readonly Verb[] = [
  OK_VERB,
  ERR_VERB,
  A_ADD_VERB,
  A_REMOVE_VERB,
  CONNECT_VERB,
  HMSG_VERB,
  INFO_VERB,
  LMSG_VERB,
  LS_ADD_VERB,
  LS_REMOVE_VERB,
  PING_VERB,
  PONG_VERB,
  RMSG_VERB,
  RS_ADD_VERB,
  RS_REMOVE_VERB,
];
