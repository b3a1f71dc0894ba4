/**
 * What an adapter is: data and pure functions. One folder per provider; everything but the HTTP call itself
 * (http.ts) is pure, and a step makes exactly one request.
 */
import type { z } from 'zod';
import type { JsonObject } from '../json.js';
import type { FieldProblem, OrderBody } from '../orders/body.js';
import type { OperationKind, OrderStatus, OrderView } from '../orders/order.js';
import type { Answer, ProviderError } from '../policy/answer.js';
import type { Outcome } from '../policy/outcome.js';
import type { ProviderPolicy } from '../policy/policy.js';

/** One HTTP request, as a value. */
export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute. */
  url: string;
  headers: Record<string, string>;
  /** JSON text, or absent. */
  body?: string;
}

/** What a step's request is built from. */
export interface Work {
  /** The order; absent for reads of a whole account. */
  order?: OrderView;
  /** The current access token, where the account's tokens rotate. */
  accessToken?: string;
  /** The one-time-password session that holds for this order's customer, if any. */
  session?: JsonObject;
  /** What the operation was asked to do. */
  params: JsonObject;
  /** What earlier steps left. */
  carry: JsonObject;
}

/** One verb part, one request. `writes` steps change something; of these only `repeatable` ones may be sent twice. */
export interface Step {
  name: string;
  writes: boolean;
  repeatable: boolean;
  request(work: Work): HttpRequest;
  /** Reads a 2xx answer; null where it cannot be trusted. Must not throw on any body. */
  read(work: Work, answer: Answer): Outcome | null;
}

export type Steps = readonly [Step, ...Step[]];

/** What the guarantee is computed from. */
export interface Capabilities {
  /** The account can hold an order unsent at the provider. */
  drafts: boolean;
  /** How an earlier submit can be found again. */
  lookup: 'reference' | 'correlation' | 'none';
  idempotencyKey: boolean;
  uniqueReference: boolean;
  /** How long an accepted order may stay invisible to the lookup, ms. */
  lagMs: number;
}

/** Which facts of an account a verb wants to know before it begins. */
export interface FactQuery {
  kind: string;
  /** All of the kind when left out. */
  key?: string;
}

/** What is known before a verb begins. */
export interface Known {
  /** The value of each fact; sealed ones opened. */
  facts: { kind: string; key: string; value: JsonObject }[];
  /** `providerData` of the account's other orders that are not over and whose data contains what was asked for. */
  openOrders: JsonObject[];
  /** How the operation's own last attempt ended; null before the first one. */
  last?: { step: string; kind: string; code: string } | null;
}

/** For verbs whose first steps may be unnecessary, or need what earlier calls brought. */
export interface Preparation {
  facts(kind: OperationKind, work: Work): { facts: FactQuery[]; openOrders?: JsonObject };
  /** Where to begin and what to carry; null leaves the operation as it stands. */
  begin(kind: OperationKind, work: Work, known: Known): { step: string; carry: JsonObject } | null;
}

/** A pair of rotating tokens. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** Epoch ms; null where the provider does not say. */
  expiresAt: number | null;
}

/** What a refresh came to. */
export type Refreshed =
  | { kind: 'tokens'; tokens: Tokens }
  /** The refresh token is spent or revoked: a human has to install again. */
  | { kind: 'revoked'; code: string; message: string }
  /** Refused, and the refresh token was not used. */
  | { kind: 'refused'; code: string; message: string }
  /** Not looked at: the same refresh token may be sent again, not before `retryAt` (epoch ms) where the answer says so. */
  | { kind: 'later'; code: string; retryAt?: number };

/** How rotating tokens are refreshed. Each refresh token is sent at most once, for ever. */
export interface TokenRotation {
  /** The tokens of the accounts file. */
  initial: Tokens;
  /** Refreshed so long before their expiry, ms. */
  aheadMs: number;
  request(tokens: Tokens): HttpRequest;
  /** Reads any answer; null where it cannot be trusted, which counts as lost. Must not throw. */
  read(answer: Answer): Refreshed | null | Promise<Refreshed | null>;
}

/** How a one-time password is asked for and checked. */
export interface OneTimePassword {
  /** Sends the customer a code. One call per wait, or when a human asks for another. */
  request: Step;
  /** Checks `params.code`; `done` brings the session as a secret fact, `waiting` (otp) says that the code is wrong. */
  verify: Step;
  /** Whom the provider would send the code to; null where the order names nobody. */
  recipient(work: Work): string | null;
  /** Where the session of an order's customer is kept. */
  session(work: Work): { kind: string; key: string } | null;
}

/** The orders that an account holds at the provider, for an audit: whichever they are, and whoever sent them. */
export interface Inventory {
  /**
   * Lists that together show all that was made since `params.since` (ISO 8601), or more. `params.page` is null for the
   * first page; a page is `done` with its `states`, and `data.next` names the following one, null after the last.
   */
  lists: Steps;
  /** Rows tell the reference that we sent; else they can be compared by their ids alone. */
  referenced: boolean;
}

/** An account's adapter: configuration and credentials already inside. */
export interface OpenAccount {
  id: string;
  mode: 'live' | 'test';
  policy: ProviderPolicy;
  capabilities: Capabilities;
  /** Absent verbs do not exist at this provider, or are not configured. */
  verbs: { submit: Steps; activate?: Steps; cancel?: Steps; update?: Steps };
  /** Reads: one order by id; a lookup by reference; a page of orders by reference; one cheap read that proves the credentials. */
  reads: {
    get: Step;
    /** The lookups of one round, in their order: an order is absent only where each of them misses it. */
    look?: Step;
    furtherLooks?: readonly Step[];
    /**
     * Many orders in one call. It is asked for `params.references` and `params.ids`, at most `pageSize` of them; a row
     * that is missing proves nothing. Where the provider's list cannot be asked for given orders, it is `walked`, newest
     * first if that can be had: `params.since` (ISO 8601) bounds it, `params.page` is null for the first page, and
     * `data.next` names the following one, null after the last.
     */
    list?: { step: Step; pageSize: number; walked?: true };
    /** Shows every order of a reference, where `look` shows only one. */
    count?: Step;
    /** Absent where the provider cannot list what it holds, or what is there is not ours alone. */
    inventory?: Inventory;
    probe: Step;
    /** What is left of the account's money: `done` with `data.balance`, a decimal string. */
    balance?: Step;
  };
  readError(answer: Answer): ProviderError;
  /** The status that an answer stands for, where the provider refuses under 200. Must not throw. */
  statusOf?(answer: Answer): number;
  /** What is wrong with a body for this account, beyond its general shape. */
  validate(body: OrderBody): FieldProblem[];
  /** What is wrong with the parameters of an `update`. */
  validateUpdate?(params: unknown): { params: JsonObject } | { problems: FieldProblem[] };
  prepare?: Preparation;
  /** Where activation is more than releasing a draft. */
  activation?: {
    /** A successful submit that left the order in this status is followed by an activation. */
    follows(body: OrderBody, status: OrderStatus): boolean;
    /** Statuses from which an operator may ask for it; `draft` alone when this is left out. */
    from: readonly OrderStatus[];
  };
  tokens?: TokenRotation;
  otp?: OneTimePassword;
  /** Orders with the same key are called one at a time. */
  serialKey?(body: OrderBody): string | null;
}

/** Settings common to the accounts of every provider (contract, "Accounts file" and "Numbers"). */
export interface CommonConfig {
  requestTimeoutMs: number;
  confirm: { graceMs: number; looks: number; spacingMs: number };
  referencePrefix?: string | undefined;
  exclusive: boolean;
}

export interface Limits {
  /** So many requests per `perMs`. */
  requests: number;
  perMs: number;
  /** Calls of one process at a time. */
  concurrency: number;
}

/** One provider: what stands in the registry. */
export interface Provider {
  id: string;
  /** For people. */
  title: string;
  limits: Limits;
  policy: ProviderPolicy;
  /** Validates `config` of the accounts file (without the common settings). */
  config: z.ZodType;
  credentials: z.ZodType;
  /** Every URL that the configuration holds, for the plain-http check. */
  urls(config: unknown): { path: string; url: string }[];
  open(account: { id: string; config: unknown; credentials: unknown; policy: ProviderPolicy }): OpenAccount;
}

/** The steps of a verb, and the read steps, by name: rows name a step, this finds it. */
export function findStep(account: OpenAccount, kind: OperationKind, name: string): Step | null {
  const { get, look, furtherLooks = [], list, probe } = account.reads;
  const verb = kind === 'poll' ? undefined : account.verbs[kind];
  const steps = [
    ...(verb ?? []),
    get,
    ...(look === undefined ? [] : [look]),
    ...furtherLooks,
    ...(list === undefined ? [] : [list.step]),
    probe,
  ];
  return steps.find((step) => step.name === name) ?? null;
}

/**
 * Keeps the generic types of one adapter inside its folder: outside, configuration and credentials are unknown.
 * `spec.config` and `spec.credentials` have parsed the values before `open` sees them, so its types hold.
 */
export function defineProvider<Config, Credentials>(spec: {
  id: string;
  title: string;
  limits: Limits;
  policy: ProviderPolicy;
  config: z.ZodType<Config>;
  credentials: z.ZodType<Credentials>;
  urls(config: Config): { path: string; url: string }[];
  open(account: {
    id: string;
    config: Config;
    credentials: Credentials;
    policy: ProviderPolicy;
  }): Omit<OpenAccount, 'id' | 'policy'>;
}): Provider {
  return {
    id: spec.id,
    title: spec.title,
    limits: spec.limits,
    policy: spec.policy,
    config: spec.config,
    credentials: spec.credentials,
    urls: (config) => spec.urls(spec.config.parse(config)),
    open: ({ id, config, credentials, policy }) => ({
      id,
      policy,
      ...spec.open({
        id,
        config: spec.config.parse(config),
        credentials: spec.credentials.parse(credentials),
        policy,
      }),
    }),
  };
}
