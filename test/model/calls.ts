/**
 * Between packline and the provider: every call has a fate, and may be held where a network, a kernel or a frozen
 * process would hold it. Stands in for src/providers/http.ts, whose last look at the clock it makes as well.
 */
import type { HttpResult } from '../../src/policy/answer.js';
import type { CallLimits, Http } from '../../src/providers/http.js';
import type { HttpRequest } from '../../src/providers/provider.js';
import { type House, type HouseAnswer, refusal, type Verb, verbOf } from './house.js';
import type { ModelClock } from './model-clock.js';

/** What becomes of one call. */
export type Fate =
  | { kind: 'through' }
  /** It waits: before its first byte, on its way there, or with its answer on its way back. */
  | { kind: 'held'; at: 'socket' | 'there' | 'back' }
  /** Done, and nobody was told; lookups show it after so many ms. */
  | { kind: 'answer lost'; hiddenMs: number }
  /** The caller gives it up; it arrives later or never. */
  | { kind: 'afloat' }
  | { kind: 'not sent' }
  /** Not done, and so answered. */
  | { kind: 'refused'; status: number }
  /** Done, and answered with a server error. */
  | { kind: 'done, 500' }
  /** Something before the provider does not find it. */
  | { kind: 'proxy 404' }
  /** Lookups find nothing at all, in the provider's own words. */
  | { kind: 'blind' };

export const THROUGH: Fate = { kind: 'through' };

/** Where a call is. `afloat`: given up by its caller, and still on its way there. */
type Place = 'socket' | 'there' | 'back' | 'afloat' | 'over';

/** One call of packline's. */
export interface Call {
  no: number;
  verb: Verb;
  request: HttpRequest;
  limits: CallLimits;
  place: Place;
  /** By the model's clock, ms; null before its first byte. */
  writtenAt: number | null;
  /** When its caller was told anything, ms of the model's clock; null until then. */
  toldAt: number | null;
  answer: HouseAnswer | null;
  /** Its process was killed. */
  callerGone: boolean;
  /** Tells the caller. */
  tell(result: HttpResult): void;
}

/** What a 429 names, s: above what a gate waits for on the spot. */
const RETRY_AFTER_S = '30';

export class Calls {
  readonly all: Call[] = [];
  /** Lookups have said in the provider's own words that there is nothing, whatever there was. */
  lied = false;
  readonly #house: House;
  readonly #clock: ModelClock;

  constructor(house: House, clock: ModelClock) {
    this.#house = house;
    this.#clock = clock;
  }

  /**
   * The way to the provider of one bell.
   * @param fate of its first call; the others go through
   * @param onHeld called when a call is held, whose caller then waits
   */
  http(fate: Fate, onHeld: (call: Call) => void): Http {
    let next = fate;
    return {
      call: (request, limits) =>
        new Promise((resolve) => {
          const call = this.#begin(request, limits, resolve);
          const own = next;
          next = THROUGH;
          this.#meet(call, own);
          if (call.toldAt === null) onHeld(call);
        }),
      close: async () => undefined,
    };
  }

  /** A held or given-up call reaches the provider. */
  arrive(call: Call, hiddenMs = 0): void {
    call.answer = this.#house.take(call.request, call.no, hiddenMs);
    call.place = call.place === 'afloat' ? 'over' : 'back';
  }

  /** A held call goes on as far as it can. */
  goOn(call: Call): void {
    if (call.place === 'socket' && !this.#write(call)) return;
    if (call.place === 'there') this.arrive(call);
    if (call.answer !== null) this.#end(call, answered(call.answer, this.#clock.now()));
  }

  /** The connection of a held call breaks. */
  breakOff(call: Call, code = 'econnreset'): void {
    const { place } = call;
    this.#end(call, { kind: place === 'socket' ? 'notSent' : 'unknown', code, message: 'broken off' });
    if (place === 'there') call.place = 'afloat';
  }

  /** The HTTP layer's own limits, for a caller whose process runs. @returns whether the call is over now */
  expire(call: Call): boolean {
    const { writtenAt, limits } = call;
    const now = this.#clock.monotonic();
    if (writtenAt === null ? now <= limits.sendBy.monotonic : now <= writtenAt + limits.timeoutMs)
      return false;
    if (writtenAt === null) this.#write(call);
    else this.breakOff(call, 'timeout');
    return true;
  }

  #begin(request: HttpRequest, limits: CallLimits, tell: Call['tell']): Call {
    const call: Call = {
      no: this.all.length,
      verb: verbOf(request),
      request,
      limits,
      place: 'socket',
      writtenAt: null,
      toldAt: null,
      answer: null,
      callerGone: false,
      tell,
    };
    this.all.push(call);
    return call;
  }

  #meet(call: Call, fate: Fate): void {
    switch (fate.kind) {
      case 'held':
        if (fate.at !== 'socket' && this.#write(call) && fate.at === 'back') this.arrive(call);
        break;
      case 'not sent':
        this.#end(call, { kind: 'notSent', code: 'econnrefused', message: 'nobody listens' });
        break;
      default:
        if (this.#write(call)) this.#answer(call, fate);
    }
  }

  #answer(call: Call, fate: Exclude<Fate, { kind: 'held' | 'not sent' }>): void {
    switch (fate.kind) {
      case 'through':
        this.goOn(call);
        break;
      case 'answer lost':
        this.arrive(call, fate.hiddenMs);
        this.breakOff(call);
        break;
      case 'afloat':
        this.breakOff(call);
        break;
      case 'refused':
        this.#end(call, answered(refusal(fate.status, 'Refused'), this.#clock.now()));
        break;
      case 'done, 500':
        this.arrive(call);
        this.#end(call, answered(refusal(500, 'Internal error'), this.#clock.now()));
        break;
      case 'proxy 404': {
        const page = answered(refusal(404, ''), this.#clock.now());
        this.#end(call, { ...page, body: '<html>', json: undefined });
        break;
      }
      case 'blind':
        this.#blind(call);
        break;
      default:
        fate satisfies never;
    }
  }

  #blind(call: Call): void {
    if (call.verb === 'get' || call.verb === 'search') {
      this.lied = true;
      const nothing =
        call.verb === 'get' ? refusal(404, 'There is no such order') : { status: 200, json: { orders: [] } };
      this.#end(call, answered(nothing, this.#clock.now()));
    } else this.goOn(call);
  }

  /** The last look at the clock, then the first byte. @returns whether it was written */
  #write(call: Call): boolean {
    const now = this.#clock.monotonic();
    if (now > call.limits.sendBy.monotonic) {
      this.#end(call, { kind: 'notSent', code: 'send_by', message: 'the time to send had passed' });
      return false;
    }
    call.writtenAt = now;
    call.place = 'there';
    return true;
  }

  #end(call: Call, result: HttpResult): void {
    call.place = 'over';
    call.toldAt = this.#clock.monotonic();
    call.tell(result);
  }
}

function answered({ status, json }: HouseAnswer, receivedAt: number): HttpResult & { kind: 'answered' } {
  return {
    kind: 'answered',
    status,
    headers: status === 429 ? { 'retry-after': RETRY_AFTER_S } : {},
    body: JSON.stringify(json),
    json,
    receivedAt,
  };
}
