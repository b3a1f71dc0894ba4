/** Mode C: the status of the store's orders is written back. */
import { judge, sentBody, stepOf, workFor } from '../fixtures.js';
import {
  answerOf,
  BASE,
  ORDER_ID,
  ok,
  openAccount,
  orderRow,
  orderView,
  refused,
  statusBody,
  statusOf,
} from './fixtures.js';

const account = openAccount({ mode: 'C' });
const { verbs, reads } = account;
const work = workFor(orderView(statusBody()));
const written = workFor(orderView(statusBody(), { providerOrderId: `${ORDER_ID}:event:3` }));
const byId = workFor(
  orderView(statusBody({ options: { orderId: ORDER_ID, statusId: 986688842 }, notes: 'packed' })),
);
const withStatus = (slug: string | null, id = 1) =>
  ok(orderRow({ status: { id, name: 'x', slug, customized: { id: id + 100, name: 'x' } } }));

describe('submit', () => {
  const current = stepOf(verbs.submit, 'current');
  const status = stepOf(verbs.submit, 'status');

  test('reads the order first, and keeps the status that it had', () => {
    expect(current.request(work)).toMatchObject({
      method: 'GET',
      url: `${BASE}/orders/${ORDER_ID}?format=light`,
    });
    expect(judge(account, current, work, withStatus('under_review')).outcome).toEqual({
      kind: 'done',
      data: { before: '101' },
    });
  });

  test('writes nothing where the order has the status already', () => {
    expect(judge(account, current, work, withStatus('in_progress')).outcome).toEqual({
      kind: 'accepted',
      providerOrderId: `${ORDER_ID}:event:3`,
      status: 'in_progress',
      rawStatus: 'in_progress',
    });
    expect(current.read(byId, ok(orderRow({ status: statusOf(null) })))).toMatchObject({ kind: 'accepted' });
  });

  test('is rejected where the store has no such order', () => {
    expect(judge(account, current, work, refused(404, 'Not found'))).toMatchObject({
      outcome: { kind: 'rejected', code: 'not_found' },
      rule: { id: 'salla/no-such-order' },
    });
    expect(judge(account, current, work, answerOf(404, '<h1>no</h1>')).outcome.kind).toBe('failed');
  });

  test('posts the slug, or the id and the note', () => {
    expect(status.request(work)).toMatchObject({ method: 'POST', url: `${BASE}/orders/${ORDER_ID}/status` });
    expect(sentBody(status, work)).toEqual({ slug: 'in_progress' });
    expect(sentBody(status, byId)).toEqual({ status_id: 986688842, note: 'packed' });
  });

  test('is accepted under the name of the order and of our reference', () => {
    const done = ok({ message: 'updated', code: 201 }, 201);
    expect(judge(account, status, work, done).outcome).toEqual({
      kind: 'accepted',
      providerOrderId: `${ORDER_ID}:event:3`,
      status: 'in_progress',
      rawStatus: 'in_progress',
    });
    // What a status of the merchant's own means, the next read tells.
    expect(status.read(byId, done)).toEqual({
      kind: 'accepted',
      providerOrderId: `${ORDER_ID}:event:3`,
      status: 'submitted',
    });
  });

  test.each([
    ['HTML', answerOf(200, '<html>')],
    ['word of a deletion', ok({ message: null, code: 202 }, 202)],
    ['nothing', answerOf(201, '')],
  ])('may have been done after %s', (_what, answer) => {
    expect(judge(account, status, work, answer).outcome.kind).toBe('unknown');
  });

  test('looks when the store says that it is so already, and is rejected for anything else', () => {
    const already = refused(422, 'It already has the requested status');
    expect(judge(account, status, work, already).outcome).toMatchObject({
      kind: 'settled',
      code: 'same_status',
    });
    const unknown = refused(422, 'alert.invalid_fields', { fields: { status_id: ['لا يوجد'] } });
    expect(judge(account, status, byId, unknown).outcome).toMatchObject({
      kind: 'rejected',
      code: 'validation_failed',
      fields: { status_id: ['لا يوجد'] },
    });
  });
});

describe('look', () => {
  const look = stepOf(reads.look === undefined ? [] : [reads.look], 'look-status');
  const after = { ...work, carry: { before: '101' } };

  test('finds the status', () => {
    expect(look.read(after, withStatus('in_progress', 2))).toMatchObject({
      kind: 'observed',
      state: { providerOrderId: `${ORDER_ID}:event:3`, status: 'in_progress', sameContent: true },
    });
  });

  test('is sure that nothing was written where the order is as it was', () => {
    expect(judge(account, look, after, withStatus('under_review')).outcome).toMatchObject({
      kind: 'missing',
      code: 'status_unchanged',
    });
  });

  test('proves nothing where the order has moved on, or where nobody kept what it was', () => {
    expect(look.read(after, withStatus('shipped', 3))).toMatchObject({ kind: 'done' });
    expect(look.read(work, withStatus('under_review'))).toMatchObject({ kind: 'done' });
  });

  test('does not trust another order', () => {
    expect(look.read(after, ok(orderRow({ id: 5, reference_id: 6 })))).toBeNull();
  });
});

describe('get', () => {
  test('follows the order of the store under the name of what was written', () => {
    expect(reads.get.request(written).url).toBe(`${BASE}/orders/${ORDER_ID}`);
    expect(reads.get.read(written, ok(orderRow({ status: statusOf('delivered') })))).toMatchObject({
      kind: 'observed',
      state: { providerOrderId: `${ORDER_ID}:event:3`, reference: null, status: 'delivered' },
    });
  });
});
