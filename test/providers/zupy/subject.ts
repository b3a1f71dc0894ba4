/** Zupy, for the conformance suite. */
import { customerId, REWARD } from '../../../src/simulator/zupy/catalog.js';
import { startZupySimulator } from '../../../src/simulator/zupy/index.js';
import { systemTime } from '../../../src/time.js';
import type { Subject, Told } from '../conformance/subject.js';

/** By which words two parts of one type are told apart ("Errors"). */
const DETAILS: Record<string, string> = {
  otp: 'OTP verification required',
  points: 'Pontos insuficientes para este prêmio',
  'already-redeemed': 'Prêmio gratuito já resgatado por este cliente',
};

/** A problem (RFC 7807); without a code, what a layer below the application answers. */
function refusal(status: number, code: string | undefined): Told {
  if (code === undefined) return { status, body: '<html>Not as it should be</html>' };
  const [type = '', part = ''] = code.split('/');
  const detail = DETAILS[part] ?? 'Not as it should be';
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: {
      type: `https://docs.zupy.com/errors#${type}`,
      title: 'Refused',
      status,
      detail,
      ...(type === 'validation-error' ? { errors: [{ field: 'reward_id', detail }] } : {}),
    },
  };
}

export const zupy: Subject = {
  id: 'zupy',
  start: () =>
    startZupySimulator({
      apiKey: 'zupy_pk_suite0suite0suite0suite0suite000',
      otpPolicy: 'trusted',
      requestsPerMinute: 1_000_000,
      stepMs: 0,
      time: systemTime,
    }),
  verbs: {
    points: 'points',
    coupons: 'search',
    redeem: 'submit',
    remaining: 'search',
    validate: 'activate',
    'validate-multi': 'activate',
    get: 'search',
    look: 'search',
    'look-points': 'points',
    list: 'search',
    probe: 'search',
    'request-otp': 'request-otp',
    'verify-otp': 'verify-otp',
  },
  refusal,
  otp: refusal(403, 'otp-required'),
  body: ({ account, nth }) => ({
    account,
    reference: `order-${nth}`,
    customer: { id: customerId(1 + (nth % 100)), phone: '+5511987654321' },
    items: [{ reference: 'line-1', sku: REWARD.dessert, quantity: 1 }],
  }),
  complaint: {
    step: 'redeem',
    told: {
      status: 422,
      headers: { 'content-type': 'application/problem+json' },
      body: {
        type: 'https://docs.zupy.com/errors#validation-error',
        title: 'Validation Error',
        status: 422,
        detail: '1 erro',
        errors: [{ field: 'reward_id', detail: 'Prêmio não disponível às terças-feiras' }],
      },
    },
    said: 'Prêmio não disponível às terças-feiras',
    fields: { reward_id: ['Prêmio não disponível às terças-feiras'] },
  },
  arrivals: {
    validate: { after: ['remaining'] },
    'validate-multi': {
      after: ['remaining'],
      body: () => ({ items: [{ reference: 'line-1', sku: REWARD.coffee, quantity: 1 }] }),
    },
  },
};
