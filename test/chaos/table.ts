/** Which processes are lost, with orders at which points, on which backend; and how each of these orders has to end. */
import type { Point } from '../../src/fulfil/points.js';
import { BACKENDS, type Backend } from '../helpers/packline.js';
import type { Subject } from '../providers/conformance/subject.js';
import { subjects } from '../providers/subjects.js';

export type Loss = 'SIGKILL' | 'SIGSTOP';

/** Where one order stands when its process is lost. */
export interface Place {
  provider: string;
  point: Point;
}

/** One process that is lost. */
export interface Case {
  loss: Loss;
  backend: Backend;
  /** At the last one's coming to its point. */
  places: readonly Place[];
  /** The same in words. */
  where: string;
}

const POINTS: readonly Point[] = [
  'gate.before',
  'gate.after',
  'claimed',
  'socket.write',
  'answer.read',
  'settled',
  'acked',
];

const PROVIDERS = Object.keys(subjects);

/** How many requests the submit of a new customer's order makes; the last is the one that must not be repeated. */
const STEPS: Readonly<Record<string, number>> = { wasal: 3, zupy: 3 };

/** The kind of account with which a provider takes part. */
export function subjectOf(provider: string): Subject {
  const [first] = subjects[provider] ?? [];
  if (first === undefined) throw new Error(`there is no provider ${provider}`);
  return first;
}

/** At which passing of its point an order stands: at the step that must not be repeated. */
export function passingOf({ provider, point }: Place): number {
  return point === 'acked' ? 1 : (STEPS[provider] ?? 1);
}

/** How the calls of an order end, oldest first, and how it was taken over from the lost process. */
export interface End {
  verdicts: string[];
  recovered: { state: string; why: string }[];
}

/** What follows from the point: whether anything was claimed, whether anything was sent. */
export function endOf(loss: Loss, { point }: Place): End {
  const why = loss === 'SIGKILL' ? 'owner_gone' : 'lease_ended';
  const recovered = [{ state: 'unconfirmed', why }];
  switch (point) {
    case 'gate.before':
    case 'gate.after':
    case 'settled':
    case 'acked':
      return { verdicts: ['accepted'], recovered: [] };
    case 'claimed':
    case 'socket.write':
      // A killed process tells nothing: its call is proven absent. A frozen one wakes too late to send, and says so.
      return { verdicts: [loss === 'SIGKILL' ? 'absent' : 'not_sent', 'accepted'], recovered };
    case 'answer.read':
      return { verdicts: ['accepted'], recovered };
  }
}

/** Whether the process holds a claim at this point. */
export function holdsClaim({ point }: Place): boolean {
  return point === 'claimed' || point === 'socket.write' || point === 'answer.read';
}

/** One process with orders of every provider at all points; nobody can stand still while a socket is written but the last. */
function crowded(loss: Loss, backend: Backend): Case {
  const still = POINTS.filter((point) => point !== 'socket.write');
  const places = PROVIDERS.flatMap((provider) => still.map((point): Place => ({ provider, point })));
  return {
    loss,
    backend,
    places: [...places, { provider: 'gelato-connect', point: 'socket.write' }],
    where: 'every point, with every provider',
  };
}

function alone(loss: Loss, backend: Backend, place: Place): Case {
  return { loss, backend, places: [place], where: `${place.point}, with ${place.provider}` };
}

const LOSSES: readonly Loss[] = ['SIGSTOP', 'SIGKILL'];

function everyCase(): Case[] {
  return LOSSES.flatMap((loss) => BACKENDS.map((backend) => crowded(loss, backend)));
}

/** Each loss for itself. */
function everySingleCase(): Case[] {
  return LOSSES.flatMap((loss) =>
    POINTS.flatMap((point) =>
      BACKENDS.flatMap((backend) => PROVIDERS.map((provider) => alone(loss, backend, { provider, point }))),
    ),
  );
}

/** The cases of this run; with `PACKLINE_TEST_ALL=1` each point also by itself. */
export const CASES: readonly Case[] =
  process.env.PACKLINE_TEST_ALL === '1' ? [...everyCase(), ...everySingleCase()] : everyCase();
