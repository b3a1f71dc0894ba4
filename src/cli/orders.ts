/** `packline orders list|show|submit|activate|cancel`. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Operator, OrderQuery } from '../operator.js';
import { ORDER_STATUSES } from '../orders/order.js';
import { ok, type Result } from '../problem.js';
import type { OrderJson, TimelineEntry } from '../views.js';
import { addVerb, does, type Invocation, type Shell, someText, wholeNumber } from './context.js';
import { addSubmit } from './submit-orders.js';
import { orderName, printOrder, printOrders } from './views.js';

const MAX_PAGE = 500;
// A page of the timeline; every page is read, so this only bounds one answer of the database.
const TIMELINE_PAGE = 500;

function orderStatus(text: string): string {
  if (ORDER_STATUSES.some((status) => status === text)) return text;
  throw new InvalidArgumentError(`Write one of ${ORDER_STATUSES.join(', ')}.`);
}

interface ListOptions extends Omit<OrderQuery, 'attention' | 'limit'> {
  attention?: string | true;
  limit?: number;
}

function addList(orders: Command, shell: Shell): void {
  const command = addVerb(orders, {
    usage: 'list',
    help: 'List orders, newest first, by any of the filters.',
    examples: [
      'packline orders list --account gelato-eu --status failed',
      'packline orders list --attention',
    ],
  })
    .option('--account <id>', 'of this account', someText)
    .option('--reference <text>', "with this reference, the shop's own order id", someText)
    .option('--status <status>', `with this status (${ORDER_STATUSES.join(', ')})`, orderStatus)
    .option('--attention [code]', 'that a human should look at, for this reason or any', someText)
    .option('--provider-order-id <id>', 'with this id at the provider', someText)
    .option('--email <address>', 'of this customer', someText)
    .option('--cursor <cursor>', 'continue a list where its last page ended', someText)
    .option('--limit <n>', 'orders per page (default: 50)', wholeNumber(1, MAX_PAGE));
  does(shell, command, ({ ask, out, deps }, { attention, ...options }: ListOptions) =>
    ask(
      (operator) =>
        operator.listOrders({ ...queryOf(options), attention: attention === true ? 'any' : attention }),
      (page) => {
        printOrders(out, page.orders, deps.time.clock.now());
        if (page.nextCursor !== null) out.note(`More: add --cursor ${page.nextCursor}`);
      },
    ),
  );
}

/** The filters alone: an option such as `--json` is no part of the query. */
function queryOf(options: Omit<ListOptions, 'attention'>): OrderQuery {
  const { account, reference, status, providerOrderId, email, cursor, limit } = options;
  return { account, reference, status, providerOrderId, email, cursor, limit };
}

async function wholeTimeline(operator: Operator, orderId: string): Promise<Result<TimelineEntry[]>> {
  const entries: TimelineEntry[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Operator['timeline']>> = await operator.timeline(orderId, {
      limit: TIMELINE_PAGE,
      ...(cursor === null ? {} : { cursor }),
    });
    if (!page.ok) return page;
    entries.push(...page.value.timeline);
    cursor = page.value.nextCursor;
  } while (cursor !== null);
  return ok(entries);
}

function addShow(orders: Command, shell: Shell): void {
  const command = addVerb(orders, {
    usage: 'show <name>',
    help: 'Show an order, its operations and its timeline. With --json: the order alone, as the API answers it.',
    examples: ['packline orders show A-1001', 'packline orders show gelato-eu/A-1001 --json'],
  });
  does(shell, command, ({ deps, out, ask }, name: string) => {
    let timeline: TimelineEntry[] = [];
    return ask(
      async (operator) => {
        const found = await operator.findOrder(name);
        if (!found.ok || out.json) return found;
        const read = await wholeTimeline(operator, found.value.id);
        if (!read.ok) return read;
        timeline = read.value;
        return found;
      },
      (order) => printOrder(out, order, timeline, deps.time.clock.now()),
    );
  });
}

/** Finds an order by its name and does something with it. */
function withOrder(
  { ask, out }: Invocation,
  name: string,
  work: (operator: Operator, order: OrderJson) => Promise<Result<OrderJson>>,
  asked: string,
): Promise<number> {
  return ask(
    async (operator) => {
      const found = await operator.findOrder(name);
      return found.ok ? work(operator, found.value) : found;
    },
    (order) => out.line(`${asked}: ${orderName(order)} (${order.id}), now ${order.status}.`),
  );
}

function addActs(orders: Command, shell: Shell): void {
  const activate = addVerb(orders, {
    usage: 'activate <name>',
    help: 'Turn a draft into an order to be made. Asked twice, it is done once.',
    examples: ['packline orders activate A-1001'],
  });
  does(shell, activate, (call, name: string) =>
    withOrder(call, name, (operator, { id }) => operator.activate(id, call.actor), 'Activation asked for'),
  );
  const cancel = addVerb(orders, {
    usage: 'cancel <name>',
    help: 'Cancel an order, at the provider where it may have reached it. Asked twice, it is done once.',
    examples: ['packline orders cancel gelato-eu/A-1001'],
  });
  does(shell, cancel, (call, name: string) =>
    withOrder(call, name, (operator, { id }) => operator.cancel(id, call.actor), 'Cancellation asked for'),
  );
}

function addCodes(orders: Command, shell: Shell): void {
  const otp = addVerb(orders, {
    usage: 'otp <name> [code]',
    help: 'Supply the one-time password that an order waits for, or ask for another one.',
    examples: ['packline orders otp R-77 123456', 'packline orders otp R-77 --resend'],
  }).option('--resend', 'ask the provider to send another code');
  does(shell, otp, async (call, name: string, code: string | undefined, { resend }: { resend?: boolean }) => {
    if ((code === undefined) === (resend !== true)) return call.wrongUse('give either a code or --resend');
    const given = code === undefined ? { resend: true as const } : { code };
    const asked = code === undefined ? 'Another code asked for' : 'Code taken';
    return withOrder(
      call,
      name,
      (operator, { id }) => operator.supplyOtp(id, { ...given, actor: call.actor }),
      asked,
    );
  });
  const codes = addVerb(orders, {
    usage: 'deliverables <name>',
    help: 'Show the codes that the provider handed out for an order. Each look at them is audited.',
    examples: ['packline orders deliverables V-12 --json'],
  });
  does(shell, codes, ({ ask, out, actor }, name: string) =>
    ask(
      async (operator) => {
        const found = await operator.findOrder(name);
        return found.ok ? operator.deliverables(found.value.id, actor) : found;
      },
      ({ deliverables }) => {
        for (const { sku, code, serial } of deliverables)
          out.line(`${sku}  ${code}  ${serial ?? ''}`.trimEnd());
        if (deliverables.length === 0) out.note('No codes have been handed out for this order.');
      },
    ),
  );
}

export function addOrders(program: Command, shell: Shell): void {
  const orders = program
    .command('orders')
    .description('Orders. One is named by its id, its reference, or account/reference.');
  addList(orders, shell);
  addShow(orders, shell);
  addSubmit(orders, shell);
  addActs(orders, shell);
  addCodes(orders, shell);
}
