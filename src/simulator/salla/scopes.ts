/** Which scopes each operation asks of the access token; one of them is enough. Reading needs less than writing. */

const READ_ORDERS = ['orders.read', 'orders.read_write'];
const WRITE_ORDERS = ['orders.read_write'];
const READ_SHIPPING = ['shipping.read', 'shipping.read_write'];
const WRITE_SHIPPING = ['shipping.read_write'];
const READ_WEBHOOKS = ['webhooks.read', 'webhooks.read_write'];
const WRITE_WEBHOOKS = ['webhooks.read_write'];

/** What an app like packline is given; `offline_access` is what gets it a refresh token. */
export const ALL_SCOPES: readonly string[] = [
  'orders.read_write',
  'shipping.read_write',
  'webhooks.read_write',
  'products.read_write',
  'offline_access',
];

const SCOPES: Readonly<Record<string, readonly string[]>> = {
  submit: WRITE_ORDERS,
  draft: WRITE_ORDERS,
  update: WRITE_ORDERS,
  status: WRITE_ORDERS,
  actions: WRITE_ORDERS,
  get: READ_ORDERS,
  list: READ_ORDERS,
  statuses: READ_ORDERS,
  ship: WRITE_SHIPPING,
  updateShipment: WRITE_SHIPPING,
  cancelShipment: WRITE_SHIPPING,
  returnShipment: WRITE_SHIPPING,
  shipments: READ_SHIPPING,
  shipment: READ_SHIPPING,
  tracking: READ_SHIPPING,
  companies: READ_SHIPPING,
  company: READ_SHIPPING,
  subscribe: WRITE_WEBHOOKS,
  updateWebhook: WRITE_WEBHOOKS,
  unsubscribe: WRITE_WEBHOOKS,
  webhooks: READ_WEBHOOKS,
  webhookEvents: READ_WEBHOOKS,
};

/** The scopes that a verb asks for when none of them was granted; undefined: it may go on. */
export function missingScopes(verb: string, granted: readonly string[]): readonly string[] | undefined {
  const wanted = SCOPES[verb];
  return wanted === undefined || wanted.some((scope) => granted.includes(scope)) ? undefined : wanted;
}
