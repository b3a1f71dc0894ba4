/** The shapes that the API reads and answers (contract, "HTTP"). Orders' bodies are the intake's to judge. */
import { z } from 'zod';
import { OPERATION_KINDS, OPERATION_STATES, ORDER_STATUSES, WAIT_REASONS } from '../orders/order.js';

// Ids, names and reasons go into columns, logs and pages: no control characters (Unicode category Cc), among them
// the zero byte that PostgreSQL's text cannot hold.
const NO_CONTROLS = /^[^\p{Cc}]*$/u;
const text = (max: number) =>
  z.string().min(1).max(max).regex(NO_CONTROLS, 'must not contain control characters');

const time = z.string().meta({ format: 'date-time' });
/** The longest reference, account id and email fit (contract, "Order"). */
const filter = text(254).optional();
const cursor = text(2000).optional();
/** Rows per page. */
const limit = z.coerce.number().int().min(1).max(500).optional();
const reason = text(1000);

// What a bulk replay may take up at once: above any backlog that a person would look through.
const MOST_REPLAYED = 10_000;
/** Orders in a batch (contract, "HTTP"). */
const MOST_IN_BATCH = 500;

/* What is read. */

export const idParams = z.object({ id: text(200) });
export const providerParams = z.object({ provider: text(100) });

export const submitQuery = z.strictObject({
  validateOnly: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'Says whether the order would be taken, and stores nothing' }),
});

export const orderQuery = z.strictObject({
  account: filter,
  reference: filter,
  status: z.enum(ORDER_STATUSES).optional(),
  attention: filter.meta({ description: 'A code, or `any`' }),
  providerOrderId: filter,
  email: filter,
  cursor,
  limit,
});

export const pageQuery = z.strictObject({ cursor, limit });

const deadLetterStates = z.enum(['open', 'replayed', 'adopted', 'discarded']);

export const deadLetterQuery = z.strictObject({
  account: filter,
  code: filter,
  kind: z.enum(OPERATION_KINDS).optional(),
  state: deadLetterStates.optional().meta({ description: 'Default: open' }),
  cursor,
  limit,
});

export const noBody = z.strictObject({});

export const replayBody = z
  .strictObject({
    reason: reason.optional(),
    force: z.boolean().optional().meta({
      description:
        'Lets a call whose repetition a 409 had forbidden go out again, once it is looked up and proven absent; needs a reason',
    }),
  })
  .refine((body) => body.force !== true || body.reason !== undefined, {
    path: ['reason'],
    message: 'must say why, where force is true',
  });

export const adoptBody = z.strictObject({ providerOrderId: text(200) });
export const discardBody = z.strictObject({ reason });

export const replayManyBody = z.strictObject({
  account: text(100).optional(),
  code: text(100).optional(),
  kind: z.enum(OPERATION_KINDS).optional(),
  ids: z.array(text(200)).max(MOST_REPLAYED).optional(),
  limit: z.int().min(1).max(MOST_REPLAYED).optional(),
  dryRun: z.boolean().optional(),
});

export const pauseBody = z.strictObject({
  reason,
  until: z.iso
    .datetime({ offset: true, error: 'must be an ISO 8601 time such as "2026-11-20T09:00:00Z"' })
    .optional(),
});

export const syncBody = z.strictObject({ account: text(100).optional() });

export const batchBody = z.strictObject({ orders: z.array(z.unknown()).max(MOST_IN_BATCH) });

/* What is answered. */

const fieldProblem = z.object({
  pointer: z.string().meta({ description: 'JSON Pointer, RFC 6901' }),
  code: z.string(),
  detail: z.string(),
});

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z.array(fieldProblem).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

const operation = z
  .object({
    id: z.string(),
    kind: z.enum(OPERATION_KINDS),
    state: z.enum(OPERATION_STATES),
    attempts: z.int().meta({ description: 'Budget spent: not 429, waits, looks, unsent' }),
    calls: z.int().meta({ description: 'Requests made or tried' }),
    dueAt: time,
    waitReason: z.enum(WAIT_REASONS).nullable(),
    deadline: time.nullable(),
    lastOutcome: z
      .object({ kind: z.string(), code: z.string(), message: z.string().nullable(), at: time })
      .nullable(),
  })
  .meta({ id: 'Operation' });

const tracking = z.object({
  carrier: z.string().nullable(),
  code: z.string().nullable(),
  url: z.string().nullable(),
  status: z.string().nullable(),
});

export const orderSchema = z
  .looseObject({
    id: z.string(),
    account: z.string(),
    provider: z.string(),
    reference: z.string(),
    generation: z.int(),
    status: z.enum(ORDER_STATUSES),
    rawStatus: z.string().nullable().meta({ description: 'The provider’s own word' }),
    attention: z.object({ code: z.string(), since: time, detail: z.string() }).nullable(),
    failure: z
      .object({
        code: z.string(),
        message: z.string(),
        fields: z.record(z.string(), z.array(z.string())).optional(),
      })
      .nullable(),
    providerOrderId: z.string().nullable(),
    tracking: z.array(tracking),
    held: z.boolean().meta({ description: 'Stored unsent until activated' }),
    operations: z.array(operation),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Order', description: 'Followed by the fields of the body, as the shop wrote them' });

const nextCursor = z.string().nullable();

export const orderPage = z.object({ orders: z.array(orderSchema), nextCursor });
export const validity = z.object({ valid: z.literal(true) });

export const batchResults = z.object({
  results: z.array(
    z.object({
      index: z.int(),
      status: z.int(),
      order: orderSchema.optional(),
      problem: problemSchema.optional(),
    }),
  ),
});

export const timelinePage = z.object({
  timeline: z.array(
    z.object({
      at: time,
      type: z.string(),
      actor: z.string(),
      operationId: z.string().optional(),
      rule: z.string().optional(),
      data: z.record(z.string(), z.unknown()),
    }),
  ),
  nextCursor,
});

export const deliverableList = z.object({
  deliverables: z.array(
    z.object({
      sku: z.string(),
      code: z.string(),
      serial: z.string().nullable(),
      expiresAt: time.nullable(),
    }),
  ),
});

/** Exactly one of the two. */
export const otpBody = z
  .strictObject({
    code: text(20).optional().meta({ description: 'The one-time password that the customer received' }),
    resend: z.literal(true).optional().meta({ description: 'Asks the provider to send another one' }),
  })
  .refine((body) => (body.code === undefined) !== (body.resend === undefined), {
    path: ['code'],
    message: 'give either code or {"resend": true}',
  });

export const deadLetterSchema = z
  .object({
    id: z.string(),
    account: z.string(),
    orderId: z.string().nullable(),
    reference: z.string().nullable(),
    operationId: z.string(),
    kind: z.enum(OPERATION_KINDS),
    code: z.string(),
    message: z.string(),
    ambiguous: z.boolean(),
    state: deadLetterStates,
    attempts: z.array(z.record(z.string(), z.unknown())),
    candidates: z.array(z.unknown()),
    createdAt: time,
  })
  .meta({ id: 'DeadLetter' });

export const deadLetterPage = z.object({ deadLetters: z.array(deadLetterSchema), nextCursor });

export const replayManySchema = z.object({
  matched: z.int(),
  replayed: z.int(),
  skipped: z.array(z.object({ id: z.string(), reason: z.string() })),
});

export const accountSchema = z
  .object({
    id: z.string(),
    provider: z.string(),
    mode: z.enum(['live', 'test']),
    state: z.enum(['active', 'paused']),
    pause: z
      .object({ code: z.string(), reason: z.string(), since: time, by: z.string(), until: time.nullable() })
      .nullable(),
    gate: z.object({
      limit: z.number().nullable(),
      remaining: z.number().nullable(),
      blockedUntil: time.nullable(),
      why: z.string().nullable(),
    }),
    breaker: z
      .object({
        state: z.enum(['closed', 'open', 'half_open']),
        failureRate: z.number().nullable(),
        calls: z.int(),
        openUntil: time.nullable(),
      })
      .nullable()
      .describe('Opens where most calls meet trouble at the provider; null where it is switched off'),
    guarantee: z.object({ level: z.enum(['exactly_once', 'at_most_once']), reason: z.string() }),
    queue: z.object({
      name: z.string(),
      queued: z.int(),
      waiting: z.int(),
      running: z.int(),
      unconfirmed: z.int(),
      oldestDue: time.nullable(),
    }),
    waits: z
      .array(
        z.object({
          kind: z.string(),
          reason: z.string(),
          operations: z.int(),
          until: time.nullable(),
          oldestDue: time,
        }),
      )
      .optional()
      .describe('What its operations wait for, and until when; of one account only'),
  })
  .meta({ id: 'Account' });

export const accountList = z.object({ accounts: z.array(accountSchema) });

export const syncSchema = z.object({
  accounts: z.array(z.object({ account: z.string(), operationId: z.string(), orders: z.int() })),
});

const policyRule = z
  .object({
    id: z.string(),
    status: z.union([z.int(), z.tuple([z.int(), z.int()])]),
    code: z.string().nullable(),
    steps: z.array(z.string()).nullable(),
    outcome: z.string(),
    scope: z.enum(['order', 'account']),
    wait: z.object({ reason: z.string(), everyMs: z.number(), deadlineMs: z.number() }).nullable(),
    block: z.string().nullable(),
    attempts: z.int().nullable(),
    backoff: z
      .object({
        baseMs: z.number(),
        capMs: z.number(),
        floorMs: z.number(),
        jitter: z.enum(['full', 'equal']),
      })
      .nullable(),
    schedule: z.array(z.object({ attempt: z.int(), minMs: z.number(), maxMs: z.number() })).nullable(),
    alert: z.boolean(),
    meaning: z.string(),
    source: z.string(),
    evidence: z.enum(['documented', 'public', 'assumed']),
  })
  .meta({ id: 'PolicyRule' });

export const providerPolicy = z.object({ provider: z.string(), rules: z.array(policyRule) });

export const health = z.object({ status: z.literal('ok') });
export const readiness = z.object({ status: z.enum(['ready', 'not-ready']), reasons: z.array(z.string()) });
