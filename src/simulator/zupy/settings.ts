/** What can be changed about a running simulator: the merchant's policy, and what stands below the application. */
import { z } from 'zod';

const schema = z.strictObject({
  /** Whether a redeem needs a session that was opened with a code. */
  requireOtpForRedemption: z.boolean(),
  /** Whether the use of a coupon needs one. */
  requireOtpForCouponUsage: z.boolean(),
  /** The problem that asks for it: both are documented. */
  otpProblem: z.enum(['otp-required', 'permission-denied']),
  /** Whether the company has an active integration; without one no policy can be resolved. */
  integration: z.boolean(),
  /** The problem that tells of too few points without Z$: both are documented. */
  shortageProblem: z.enum(['insufficient-balance', 'validation-error']),
  /** `slow` and `down` make Z$ balances unreadable; `down` also refuses payments in part with Z$. */
  solana: z.enum(['up', 'slow', 'down']),
  /** `rotating` and `down` refuse new passes, each with its own problem. */
  wallet: z.enum(['up', 'rotating', 'down']),
  /** Everything answers 503 service-unavailable. */
  overloaded: z.boolean(),
});

export type Settings = z.infer<typeof schema>;

/** Some of them, to be changed. */
export const settingsSchema = schema.partial();

/** Presets of the codes' policy ("Trust Levels"); in what is simulated, relaxed is strict. */
export type OtpPolicy = 'strict' | 'relaxed' | 'trusted';

/** A working system under a policy. */
export function settingsFor(policy: OtpPolicy): Settings {
  const required = policy !== 'trusted';
  return {
    requireOtpForRedemption: required,
    requireOtpForCouponUsage: required,
    otpProblem: 'otp-required',
    integration: true,
    shortageProblem: 'insufficient-balance',
    solana: 'up',
    wallet: 'up',
    overloaded: false,
  };
}
