/**
 * The verbs that an operator has. The API, the console and the command line all speak through these, so that
 * they answer alike. What is expected to go wrong comes back as a problem; an exception is a bug or a database
 * that does not answer.
 */
import { accountVerbs } from './operator/accounts.js';
import { codeVerbs } from './operator/codes.js';
import { letterVerbs } from './operator/dead-letters.js';
import type { OperatorDeps } from './operator/deps.js';
import { doctorVerbs } from './operator/doctor.js';
import { orderVerbs } from './operator/orders.js';
import { recoverVerbs } from './operator/recover.js';
import { retentionVerbs } from './operator/retention.js';
import type { Result } from './problem.js';
import type {
  AccountJson,
  DeadLetterJson,
  DeliverableJson,
  DoctorJson,
  OrderJson,
  ProviderPolicyJson,
  RecoveryJson,
  ReplayManyJson,
  RetentionJson,
  TimelineEntry,
} from './views.js';

/** Who acts, for the audit: `shop`, `operator:<name>`, `cli:<user>`. */
export type Actor = string;

export interface OrderQuery {
  account?: string | undefined;
  reference?: string | undefined;
  status?: string | undefined;
  /** A code, or `any`. */
  attention?: string | undefined;
  providerOrderId?: string | undefined;
  email?: string | undefined;
  cursor?: string | undefined;
  /** 1–500, default 50. */
  limit?: number | undefined;
}

export interface DeadLetterQuery {
  account?: string | undefined;
  code?: string | undefined;
  kind?: string | undefined;
  /** Default `open`. */
  state?: string | undefined;
  cursor?: string | undefined;
  limit?: number | undefined;
}

export interface ReplayFilter {
  account?: string | undefined;
  code?: string | undefined;
  kind?: string | undefined;
  ids?: string[] | undefined;
  limit?: number | undefined;
  dryRun?: boolean | undefined;
}

export interface Operator {
  /** Stores an order once. `created` false where it was there with the same body. */
  submit(
    body: unknown,
    options: { actor: Actor; validateOnly?: boolean },
  ): Promise<Result<{ created: boolean; order: OrderJson | null }>>;
  /** Each of up to 500 for itself; not atomic. */
  submitMany(
    bodies: readonly unknown[],
    actor: Actor,
  ): Promise<Result<{ created: boolean; order: OrderJson | null }>[]>;
  /** A corrected body: the next generation. */
  correct(orderId: string, body: unknown, actor: Actor): Promise<Result<OrderJson>>;

  listOrders(query: OrderQuery): Promise<Result<{ orders: OrderJson[]; nextCursor: string | null }>>;
  getOrder(orderId: string): Promise<Result<OrderJson>>;
  /** By id, reference, or `account/reference`; a reference that several accounts hold is refused with their names. */
  findOrder(name: string): Promise<Result<OrderJson>>;
  timeline(
    orderId: string,
    query: { cursor?: string | undefined; limit?: number | undefined },
  ): Promise<Result<{ timeline: TimelineEntry[]; nextCursor: string | null }>>;

  /** The codes that the provider handed out for an order. Each look at them leaves an audit event. */
  deliverables(orderId: string, actor: Actor): Promise<Result<{ deliverables: DeliverableJson[] }>>;
  /** A one-time password for an order that waits for one, or the wish for another. A wrong code is a 422. */
  supplyOtp(
    orderId: string,
    given: ({ code: string } | { resend: true }) & { actor: Actor },
  ): Promise<Result<OrderJson>>;

  activate(orderId: string, actor: Actor): Promise<Result<OrderJson>>;
  cancel(orderId: string, actor: Actor): Promise<Result<OrderJson>>;
  /** New shipping method or address. */
  updateShipment(orderId: string, params: unknown, actor: Actor): Promise<Result<OrderJson>>;
  /** Reads the order's status now. */
  syncOrder(orderId: string, actor: Actor): Promise<Result<OrderJson>>;
  /** Looks at every open order whose last read began before now; overlapping calls share the work. */
  sync(
    query: { account?: string | undefined },
    actor: Actor,
  ): Promise<Result<{ accounts: { account: string; operationId: string; orders: number }[] }>>;
  /** The named sync operations as they stand, for callers that wait for the end. */
  syncProgress(
    operationIds: readonly string[],
  ): Promise<{ operationId: string; account: string; state: string; remaining: number }[]>;

  listDeadLetters(
    query: DeadLetterQuery,
  ): Promise<Result<{ deadLetters: DeadLetterJson[]; nextCursor: string | null }>>;
  getDeadLetter(id: string): Promise<Result<DeadLetterJson>>;
  replay(
    id: string,
    options: { actor: Actor; reason?: string | undefined; force?: boolean | undefined },
  ): Promise<Result<DeadLetterJson>>;
  /** Asks the provider: 422 where it does not know the id, or holds another reference; 409 where another order holds it. */
  adopt(id: string, options: { actor: Actor; providerOrderId: string }): Promise<Result<DeadLetterJson>>;
  discard(id: string, options: { actor: Actor; reason: string }): Promise<Result<DeadLetterJson>>;
  replayMany(filter: ReplayFilter, actor: Actor): Promise<Result<ReplayManyJson>>;

  listAccounts(): Promise<{ accounts: AccountJson[] }>;
  getAccount(id: string): Promise<Result<AccountJson>>;
  pauseAccount(
    id: string,
    options: { actor: Actor; reason: string; until?: string | undefined },
  ): Promise<Result<AccountJson>>;
  resumeAccount(id: string, actor: Actor): Promise<Result<AccountJson>>;
  /** One cheap read with the account's credentials. */
  checkAccount(
    id: string,
  ): Promise<Result<{ account: string; ok: boolean; outcome: string; message: string | null }>>;
  /** Creates or updates accounts by id from a parsed accounts file; `env` fills `${NAME}`. */
  applyAccounts(
    file: unknown,
    env: Record<string, string | undefined>,
  ): Promise<Result<{ accounts: { id: string; change: 'created' | 'updated' | 'unchanged' }[] }>>;
  /**
   * Goes on with a database that was restored or replaced: unfinished submits are looked for, those that cannot be
   * are put before a person, and tokens are not refreshed any more. Does nothing where the database is the known
   * one, unless `force`.
   */
  recover(options: { actor: Actor; force: boolean; lookFirstMs: number }): Promise<Result<RecoveryJson>>;
  /**
   * How this installation is. `invariants`: whether the rows contradict each other, of all orders; `audit`: what the
   * providers hold of the last days, against what is here, for one account or all.
   */
  doctor(options: {
    actor: Actor;
    invariants: boolean;
    audit: { account?: string | undefined; days: number } | null;
  }): Promise<Result<DoctorJson>>;
  /**
   * Forgets what only tells the story of orders that have been over for so long; never what protects them.
   * @param options.olderThanDays as configured where it is left out; refused where that is "for ever"
   * @param options.onPage told how far it is
   */
  runRetention(options: {
    actor: Actor;
    olderThanDays?: number | undefined;
    dryRun: boolean;
    onPage?: (report: RetentionJson) => void;
  }): Promise<Result<RetentionJson>>;
  /** A provider's policy table with its sources. */
  explainProvider(id: string): Result<ProviderPolicyJson>;
}

/** The operator's verbs over the database. */
export function createOperator(deps: OperatorDeps): Operator {
  return {
    ...orderVerbs(deps),
    ...codeVerbs(deps),
    ...letterVerbs(deps),
    ...accountVerbs(deps),
    ...recoverVerbs(deps),
    ...doctorVerbs(deps),
    ...retentionVerbs(deps),
  };
}
