/** Codes and sessions over HTTP ("OTP Verification Flow"). Here bad input is a 400, not a 422. */
import type { Answer, Call, Route } from '../kit.js';
import { CODE_LIFE_MS } from './otp.js';
import type { FieldError } from './problems.js';
import { REQUIRED, shopOf, textOf, type World } from './world.js';

const SIX_DIGITS = /^\d{6}$/;

export function otpRoutes(world: World): Route[] {
  const references = ({ body }: Call) => [textOf(body, 'identifier') ?? ''];
  return [
    {
      verb: 'request-otp',
      method: 'POST',
      path: '/auth/request-otp/',
      references,
      handle: (call) => requestCode(world, call),
    },
    {
      verb: 'verify-otp',
      method: 'POST',
      path: '/auth/verify-otp/',
      references,
      handle: (call) => verifyCode(world, call),
    },
  ];
}

/** Whoever is named gets a code, also somebody unknown: a right one makes a customer of them. */
function requestCode(world: World, call: Call): Answer {
  const identifier = textOf(call.body, 'identifier');
  if (identifier === undefined) return world.problems.badRequest([{ field: 'identifier', detail: REQUIRED }]);
  const { channel } = shopOf(world, call).otp.request(identifier);
  return world.shape.one({ status: 'sent', channel, expires_in: CODE_LIFE_MS / 1000 });
}

function verifyCode(world: World, call: Call): Answer {
  const { problems } = world;
  const identifier = textOf(call.body, 'identifier');
  const code = textOf(call.body, 'otp_code');
  const errors: FieldError[] = [];
  if (identifier === undefined) errors.push({ field: 'identifier', detail: REQUIRED });
  if (code === undefined) errors.push({ field: 'otp_code', detail: REQUIRED });
  else if (!SIX_DIGITS.test(code)) errors.push({ field: 'otp_code', detail: 'São 6 dígitos.' });
  if (identifier === undefined || code === undefined || errors.length > 0) return problems.badRequest(errors);
  const verdict = shopOf(world, call).otp.verify(identifier, code);
  switch (verdict) {
    case 'right':
      return openSession(world, call, identifier);
    case 'not-requested':
      return problems.answer('not-found', 'No OTP was requested for this identifier.', call.path);
    case 'wrong-or-expired':
      return problems.answer('authentication-required', 'Invalid or expired OTP code.', call.path);
    case 'too-many-attempts':
      return problems.answer('rate-limit-exceeded', 'Too many attempts. Request a new code.', call.path);
    default:
      return verdict satisfies never;
  }
}

function openSession(world: World, call: Call, identifier: string): Answer {
  const { customers, otp } = shopOf(world, call);
  const known = customers.findByContact(identifier);
  const contact = identifier.includes('@') ? { email: identifier } : { phone: identifier };
  const customer = known ?? customers.put(contact);
  return world.shape.one({
    customer_id: customer.id,
    is_new: known === undefined,
    otp_session: otp.openSession(customer.id),
    full_name: customer.fullName,
    points_balance: customer.points,
    tier: customer.tier,
  });
}
