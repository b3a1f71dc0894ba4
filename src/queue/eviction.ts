/** Whether a Redis keeps what it is given: with another policy than `noeviction` it throws jobs away when it is full. */
import type { Redis } from 'ioredis';

/** Told to a person: what is wrong with this Redis, and what to do. */
export class EvictingRedis extends Error {
  override name = 'EvictingRedis';

  constructor(policy: string) {
    super(
      `Redis may throw jobs away: its maxmemory-policy is ${policy.slice(0, 50)}. Set it to noeviction (CONFIG SET maxmemory-policy noeviction, and in its configuration).`,
    );
  }
}

const SETTING = 'maxmemory-policy';
const SAFE = 'noeviction';

/**
 * Reads the policy.
 * @returns null where it keeps everything, the policy where it does not, `unreadable` where this user may not ask
 */
export async function readEviction(redis: Pick<Redis, 'config'>): Promise<null | string> {
  let answer: unknown;
  try {
    answer = await redis.config('GET', SETTING);
  } catch {
    // Managed servers and restricted users refuse CONFIG; nothing else tells of the policy.
    return UNREADABLE;
  }
  const policy: unknown = Array.isArray(answer) ? answer[1] : Object(answer)[SETTING];
  if (typeof policy !== 'string') return UNREADABLE;
  return policy === SAFE ? null : policy;
}

/** What `readEviction` says where the policy cannot be read. */
export const UNREADABLE = 'unreadable';
