/**
 * What an account's token says of what it exports and imports.
 *
 * @module
 */
import type {
  ExportDefinition,
  ImportDefinition,
  LatencySettings,
  MappingDestination,
} from "../config/mod.ts";
import type { ExportKind } from "./activation_claims.ts";
import { ClaimsError, type ClaimsReader, record } from "./claims_reader.ts";
import {
  isContained,
  renamingProblem,
  subjectProblem,
  withoutReferences,
} from "./subject_claims.ts";
import { hasWildcard } from "../protocol/mod.ts";

/** Something that was read, and what is wrong with it, one sentence each. */
export interface Examined<T> {
  /** What was read. */
  readonly value: T;
  /** What is wrong with it. */
  readonly problems: readonly string[];
}

/** An import as a token has it. */
export interface ImportClaims {
  /** Whether a stream or a service is imported. */
  readonly kind: ExportKind;
  /** Public key of the account that exports. */
  readonly account: string;
  /** Subject that the exporter has, as an activation names it. */
  readonly subject: string;
  /** Activation; empty where there is none. */
  readonly token: string;
  /** The same for the account. */
  readonly definition: ImportDefinition;
}

const NANOSECONDS_PER_MS = 1_000_000;

const responseTypes: Readonly<Record<string, "singleton" | "stream" | "chunked">> = {
  Singleton: "singleton",
  Stream: "stream",
  Chunked: "chunked",
};

/**
 * Reads what an account exports.
 *
 * @throws {ClaimsError} when a field has the wrong type.
 */
export function readExports(nats: ClaimsReader): Examined<ExportDefinition[]> {
  const examined = nats.objects("exports").map(readExport);
  const subjects = (kind: ExportKind) =>
    examined.map(({ value }) => value[kind]).filter((subject) => subject !== undefined);
  return {
    value: examined.map(({ value }) => value),
    problems: [
      ...examined.flatMap(({ problems }) => problems),
      ...overlaps("stream", subjects("stream")),
      ...overlaps("service", subjects("service")),
    ],
  };
}

function readExport(claims: ClaimsReader): Examined<ExportDefinition> {
  const kind = readKind(claims);
  const subject = claims.text("subject");
  const response = claims.text("response_type");
  const thresholdNs = claims.integer("response_threshold");
  const position = claims.integer("account_token_position");
  const latency = claims.optionalObject("service_latency");
  const revocations = claims.integers("revocations");
  const sampling = latency && readSampling(latency);
  const results = latency?.text("results") ?? "";
  const value: ExportDefinition = {
    [kind]: subject,
    ...(claims.flag("token_req") && { token_required: true }),
    ...(responseTypes[response] && { response_type: responseTypes[response] }),
    ...(thresholdNs > 0 && { response_threshold: thresholdNs / NANOSECONDS_PER_MS }),
    ...(position > 0 && { account_token_position: position }),
    ...(sampling !== undefined && { latency: { sampling, subject: results } }),
    ...(Object.keys(revocations).length > 0 && { revocations }),
  };
  const named = JSON.stringify(subject);
  const problems = [subjectProblem(subject)];
  if (kind === "stream" && response !== "") {
    problems.push(`the stream export ${named} has a response type`);
  }
  if (response !== "" && !Object.hasOwn(responseTypes, response)) {
    problems.push(`the export ${named} has the response type ${JSON.stringify(response)}`);
  }
  if (kind === "stream" && claims.flag("allow_trace")) {
    problems.push(`the stream export ${named} has allow_trace`);
  }
  if (thresholdNs < 0) problems.push(`the export ${named} has a negative response_threshold`);
  if (thresholdNs > 0 && kind === "stream") {
    problems.push(`the stream export ${named} has a response_threshold`);
  }
  if (sampling !== undefined) problems.push(latencyProblem(kind, sampling, results));
  if (position !== 0) problems.push(positionProblem(subject, position));
  return { value, problems: problems.filter((problem) => problem !== null) };
}

/** 0 is what "headers" is written as in memory, and may be written as in a token. */
function readSampling(latency: ClaimsReader): LatencySettings["sampling"] {
  const sampling = latency.raw("sampling");
  if (typeof sampling === "string" && sampling.toLowerCase() === "headers") return "headers";
  return latency.integer("sampling") || "headers";
}

function latencyProblem(
  kind: ExportKind,
  sampling: LatencySettings["sampling"],
  results: string,
): string | null {
  if (kind === "stream") return "a stream export has service_latency";
  if (sampling !== "headers" && (sampling < 1 || sampling > 100)) {
    return `service_latency has the sampling ${sampling}, which is not 1 to 100`;
  }
  if (hasWildcard(results)) return "the results of service_latency are a subject with wildcards";
  return subjectProblem(results);
}

function positionProblem(subject: string, position: number): string | null {
  const token = subject.split(".")[position - 1];
  if (token === "*") return null;
  return `account_token_position ${position} of ${JSON.stringify(subject)} is not a *`;
}

function overlaps(kind: ExportKind, subjects: readonly string[]): string[] {
  return subjects.filter((wide, at) =>
    subjects.some((narrow, other) => other !== at && isContained(narrow, wide))
  ).map((wide) => `another ${kind} export is part of ${JSON.stringify(wide)} already`);
}

/**
 * Reads what an account imports. Activations are left to be looked at.
 *
 * @throws {ClaimsError} when a field has the wrong type.
 */
export function readImports(nats: ClaimsReader): Examined<ImportClaims[]> {
  const examined = nats.objects("imports").map(readImport);
  const services = new Map<string, string[]>();
  const problems = examined.flatMap(({ problems }) => [...problems]);
  for (const { value } of examined) {
    if (value.kind !== "service") continue;
    const own = withoutReferences(value.definition.to ?? value.subject);
    const others = services.get(value.account) ?? [];
    if (others.some((other) => isContained(own, other) || isContained(other, own))) {
      problems.push(`another service import of the same account overlaps ${JSON.stringify(own)}`);
    }
    services.set(value.account, [...others, own]);
  }
  return { value: examined.map(({ value }) => value), problems };
}

function readImport(claims: ClaimsReader): Examined<ImportClaims> {
  const kind = readKind(claims);
  const account = claims.text("account");
  const subject = claims.text("subject");
  const to = claims.text("to"), local = claims.text("local_subject");
  const token = claims.text("token");
  const share = claims.flag("share");
  // What `to` was meant the other way round for services: where the exporter has it.
  const isTurned = kind === "service" && local === "" && to !== "";
  const source = { account, subject: isTurned ? to : subject };
  const own = local || (isTurned ? subject : "");
  const value: ImportClaims = {
    kind,
    account,
    subject: source.subject,
    token,
    definition: {
      [kind]: source,
      // The first way to rename a stream was to put tokens before it.
      ...(kind === "stream" && local === "" && to !== "" && { prefix: to }),
      ...(own !== "" && { to: own }),
      ...(share && { share }),
      ...(token !== "" && { token }),
    },
  };
  const named = JSON.stringify(subject);
  const problems = [
    subjectProblem(subject),
    local === "" ? null : renamingProblem(local, subject),
  ];
  if (account === "") problems.push(`the import ${named} names no account`);
  if (local !== "" && to !== "") problems.push(`the import ${named} has local_subject and to`);
  if (share && kind === "stream") problems.push(`the stream import ${named} has share`);
  if (kind === "service" && claims.flag("allow_trace")) {
    problems.push(`the service import ${named} has allow_trace`);
  }
  return { value, problems: problems.filter((problem) => problem !== null) };
}

/**
 * Reads the mappings of an account.
 *
 * @throws {ClaimsError} when a field has the wrong type.
 */
export function readMappings(
  nats: ClaimsReader,
): Examined<Record<string, readonly MappingDestination[]>> {
  const mappings = nats.object("mappings");
  const problems: (string | null)[] = [];
  const entries = mappings.names().map((from) => {
    const destinations = mappings.objects(from).map((it) => {
      const cluster = it.text("cluster");
      return {
        destination: it.text("subject"),
        weight: it.integer("weight") || 100,
        ...(cluster !== "" && { cluster }),
      };
    });
    problems.push(
      subjectProblem(from),
      ...destinations.map(({ destination }) => subjectProblem(destination)),
      weightProblem(from, destinations),
    );
    return [from, destinations] as const;
  });
  return { value: record(entries), problems: problems.filter((problem) => problem !== null) };
}

function weightProblem(from: string, destinations: readonly MappingDestination[]): string | null {
  const totals = new Map<string, number>();
  for (const { cluster = "", weight = 100 } of destinations) {
    const total = (totals.get(cluster) ?? 0) + weight;
    if (total > 100 || weight < 0) {
      return `the mapping of ${JSON.stringify(from)} has weights of more than 100 % in all`;
    }
    totals.set(cluster, total);
  }
  return null;
}

function readKind(claims: ClaimsReader): ExportKind {
  const kind = claims.text("type");
  if (kind !== "stream" && kind !== "service") {
    throw new ClaimsError(`the type of an import or export is ${JSON.stringify(kind)}`);
  }
  return kind;
}
