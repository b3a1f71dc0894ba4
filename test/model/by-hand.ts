/** A sequence that is played by hand: one order, and what a test does with it step by step. */
import { taken } from '../providers/conformance/world.js';
import { type Call, type Fate, THROUGH } from './calls.js';
import { bodyOf, submitFirst } from './commands.js';
import type { Rig } from './rig.js';
import type { LetterRow, OperationRow, OrderRow } from './rows.js';
import { Sequence } from './sequence.js';

export class ByHand {
  readonly sequence: Sequence;

  /** With one order that is stored and not sent. */
  static async begin(rig: Rig): Promise<ByHand> {
    const sequence = await Sequence.begin(rig);
    await submitFirst(sequence);
    await sequence.check();
    return new ByHand(sequence);
  }

  private constructor(sequence: Sequence) {
    this.sequence = sequence;
  }

  /** Whatever rings is answered; the first call meets the fate. */
  async work(fate: Fate = THROUGH): Promise<void> {
    await this.sequence.work(0, fate);
    await this.sequence.check();
  }

  async pass(ms: number): Promise<void> {
    await this.sequence.pass(ms);
    await this.sequence.check();
  }

  /** Time passes from bell to bell until the submit is in one of these states. */
  async workUntil(...states: OperationRow['state'][]): Promise<void> {
    for (let bells = 0; !states.includes(this.operation('submit').state); bells += 1) {
      if (bells > 20) throw new Error(`the submit is still ${this.operation('submit').state}`);
      await this.pass(Math.max(this.operation('submit').ringMs ?? 0, 0) + 1);
      await this.work();
    }
  }

  async cancel(): Promise<void> {
    taken(await this.sequence.operator.cancel(this.order.id, 'shop'));
    await this.sequence.check();
  }

  /** The shop sends its order once more, which is a new one where it was forgotten. */
  async submitAgain(): Promise<void> {
    taken(await this.sequence.operator.submit(bodyOf('order-1', true), { actor: 'shop' }));
    await this.sequence.check();
  }

  get order(): OrderRow {
    const [only] = this.sequence.rows.orders;
    if (only === undefined) throw new Error('there is no order');
    return only;
  }

  get letter(): LetterRow {
    const newest = this.sequence.rows.letters.at(-1);
    if (newest === undefined) throw new Error('there is no dead letter');
    return newest;
  }

  /** The newest operation of a kind. */
  operation(kind: OperationRow['kind']): OperationRow {
    const newest = this.sequence.rows.operations.findLast((one) => one.kind === kind);
    if (newest === undefined) throw new Error(`there is no ${kind}`);
    return newest;
  }

  /** The only call that is held. */
  get held(): Call {
    const [call, ...more] = this.sequence.held;
    if (call === undefined || more.length > 0)
      throw new Error(`${more.length} calls too many, or none is held`);
    return call;
  }

  /** What the provider was asked to do, reads left out. */
  get writes(): string[] {
    return this.sequence.calls.all
      .map(({ verb }) => verb)
      .filter((verb) => !['get', 'search'].includes(verb));
  }

  /** How the provider's orders stand, in its own words. */
  get words(): string[] {
    return this.sequence.house.orders.map(({ word }) => word);
  }
}
