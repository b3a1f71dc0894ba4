import { forgetBoard, mirrorLetters } from '../../src/maintenance/board.js';
import { decideLetter } from '../../src/orders/store/dead-letters.js';
import {
  DEAD_LETTER_QUEUE,
  postgresBackend,
  type QueueBackend,
  redisBackend,
} from '../../src/queue/backend.js';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { openShop, type Shop } from './shop.js';

let shop: Shop;
let redis: TestRedis;
beforeAll(async () => {
  [shop, redis] = await Promise.all([openShop(), startRedis()]);
});
afterAll(async () => {
  await redis.stop();
  await shop.close();
});

describe.each(['redis', 'postgres'] as const)('the board of dead letters on %s', (kind) => {
  let queue: QueueBackend;
  beforeEach(async () => {
    await shop.reset();
    await shop.open('shop');
    await redis.flush();
    const onError = () => undefined;
    queue =
      kind === 'redis'
        ? redisBackend({ url: redis.url, onError })
        : postgresBackend({ url: shop.url, max: 5, onError });
    await queue.opened();
    await queue.queue(DEAD_LETTER_QUEUE).obliterate({ force: true });
  });
  afterEach(() => queue.close());

  /** A dead submit with its letter; returns the letter's id. */
  async function letter(reference: string, code = 'http_500'): Promise<string> {
    const operation = await shop.order('shop', reference);
    const [row] = await shop.db.query<{ id: string }>(
      `insert into packline.dead_letters (operation_id, order_id, account_id, kind, code, message, ambiguous)
       select id, order_id, account_id, kind, $2, 'budget spent', true from packline.operations where id = $1::bigint returning id::text as id`,
      operation,
      code,
    );
    return row?.id ?? '';
  }

  const shown = async () => {
    const jobs = await queue
      .queue(DEAD_LETTER_QUEUE)
      .getJobs(['waiting', 'prioritized', 'delayed', 'active']);
    return jobs.map(({ id }) => id).sort();
  };
  const jobOf = (id: string) => queue.queue(DEAD_LETTER_QUEUE).getJob(`dead-letter-${id}`);
  const discard = (id: string) => decideLetter(shop.db, id, 'discarded', 'operator:x', 'not needed');

  test('shows every open letter once, with ids and nothing else', async () => {
    const [first, second] = [await letter('A-1'), await letter('A-2', 'reference_taken')];
    expect(await mirrorLetters(shop.db, queue)).toBe(2);
    expect(await mirrorLetters(shop.db, queue)).toBe(0);
    expect(await shown()).toEqual([`dead-letter-${first}`, `dead-letter-${second}`].sort());
    const job = await jobOf(second);
    expect(job?.name).toBe('submit reference_taken');
    expect(job?.data).toEqual({
      v: 1,
      deadLetterId: second,
      operationId: expect.any(String),
      account: 'shop',
      code: 'reference_taken',
    });
  });

  test('takes off what was decided, and leaves what was not', async () => {
    const [first, second] = [await letter('A-1'), await letter('A-2')];
    await mirrorLetters(shop.db, queue);
    await discard(first);
    expect(await mirrorLetters(shop.db, queue)).toBe(1);
    expect(await mirrorLetters(shop.db, queue)).toBe(0);
    expect(await shown()).toEqual([`dead-letter-${second}`]);
  });

  test('never shows what was decided before it was shown', async () => {
    await discard(await letter('A-1'));
    expect(await mirrorLetters(shop.db, queue)).toBe(0);
    expect(await shown()).toEqual([]);
  });

  test('shows all open letters again after the queue was emptied', async () => {
    const [first, second] = [await letter('A-1'), await letter('A-2')];
    await mirrorLetters(shop.db, queue);
    await discard(second);
    await queue.queue(DEAD_LETTER_QUEUE).obliterate({ force: true });
    await forgetBoard(shop.db);
    expect(await mirrorLetters(shop.db, queue)).toBe(2);
    expect(await shown()).toEqual([`dead-letter-${first}`]);
  });

  test('shows and removes many, a round at a time', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 205; n += 1) ids.push(await letter(`A-${n}`));
    expect(await mirrorLetters(shop.db, queue)).toBe(200);
    expect(await mirrorLetters(shop.db, queue)).toBe(5);
    expect(await shown()).toHaveLength(205);
  });

  test('tries again what the queue has not taken, neither twice nor never', async () => {
    const [first, second] = [await letter('A-1'), await letter('A-2')];
    const board = queue.queue(DEAD_LETTER_QUEUE);
    const broken: QueueBackend = {
      ...queue,
      queue: () =>
        new Proxy(board, {
          get: (target, name) =>
            name === 'addBulk' || name === 'remove'
              ? async () => {
                  throw new Error('Redis is away');
                }
              : Reflect.get(target, name),
        }),
    };
    await expect(mirrorLetters(shop.db, broken)).rejects.toThrow('Redis is away');
    expect(await mirrorLetters(shop.db, queue)).toBe(2);
    await discard(first);
    await expect(mirrorLetters(shop.db, broken)).rejects.toThrow('Redis is away');
    expect(await mirrorLetters(shop.db, queue)).toBe(1);
    expect(await shown()).toEqual([`dead-letter-${second}`]);
  });
});
