/** What the conformance suite has to know of a provider: how its simulator is reached, and how each step comes up. */
import type { JsonObject } from '../../../src/json.js';
import type { OpenAccount, Step } from '../../../src/providers/provider.js';
import type { AccountFileEntry, LedgerOrder, Simulator } from '../../../src/simulator/kit.js';
import type { World } from './world.js';

/** An answer that the simulator is told to give. */
export interface Told {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** How a step comes up. Without one: the verbs' steps in their order, reads and looks as `walk.ts` has it. */
export interface Arrival {
  /** Over the order's body; brings the provider into the state that the step needs. */
  body?(scene: Scene): JsonObject | Promise<JsonObject>;
  /** A success of the submit names nothing: its envelope alone says that it is one. */
  unnamed?: true;
  /** Names of the steps that are made before it, in their order; the walk checks them. */
  after?: readonly string[];
  /** In this state the provider itself refuses the step, once it is well again. */
  refused?: true;
}

/** One account at a simulator. */
export interface Place {
  simulator: Simulator;
  account: string;
  /** A number of its own, from 1, for references and customers. */
  nth: number;
}

/** The same in a world. */
export interface Scene extends Place {
  world: World;
  /** `POST` to the control API. */
  control(path: string, body: object): Promise<void>;
}

export interface Subject {
  /** The provider's id. */
  id: string;
  /** Which kind of account it is, where a provider has several. */
  mode?: string;
  /** A simulator whose orders stay where they are, and whose own limits are out of the way. */
  start(): Promise<Simulator>;
  /** Over the simulator's own entry of the accounts file. */
  entry?(entry: AccountFileEntry): object;
  /** The simulator's verb behind each step, `probe` and those of one-time passwords and tokens included. */
  verbs: Readonly<Record<string, string>>;
  /** The provider's error envelope for a code of its table; without a code, one that the table does not have. */
  refusal(status: number, code: string | undefined, step: string): Told;
  /** A valid order of the place's account, another customer's for each place. */
  body(place: Place): JsonObject | Promise<JsonObject>;
  /** A success of the submit names nothing: its envelope alone says that it is one. */
  unnamed?: true;
  /** Names of the steps that are walked, where another mode has the others just so. */
  only?: readonly string[];
  /** Of what the ledger lists: what submits have made. All of it where this is left out. */
  made?(orders: readonly LedgerOrder[]): number;
  /** What an `update` is asked to change. */
  update?: JsonObject;
  arrivals?: Readonly<Record<string, Arrival>>;
  /** What says that a one-time password is wanted, where the provider asks for such. */
  otp?: Told;
  /** A refusal of the content, in an alphabet or with letters beyond ASCII. */
  complaint: {
    /** The step of a submit that it is told to. */
    step: string;
    told: Told;
    /** What has to be found on the order, letter by letter. */
    said: string;
    /** The same by field, where the provider names fields. */
    fields?: Record<string, string[]>;
  };
}

/** The steps of an account that make an operation's calls, with the kind of the operation. */
export interface WalkedStep {
  step: Step;
  kind: 'submit' | 'activate' | 'cancel' | 'update' | 'poll';
  /** What the call is for: the step itself, or a look at what became of a submit. */
  purpose: 'call' | 'look';
  /** Of a verb of several steps, or a round of several lookups: not the last one. */
  hasNext: boolean;
  /** It reads a page of the account's orders. */
  ofAccount: boolean;
}

/** Every step of the account that an operation can make. */
export function stepsOf({ verbs, reads }: OpenAccount): WalkedStep[] {
  const looks = [...(reads.look === undefined ? [] : [reads.look]), ...(reads.furtherLooks ?? [])];
  const ofVerb = (kind: 'submit' | 'activate' | 'cancel' | 'update'): WalkedStep[] =>
    (verbs[kind] ?? []).map((step, index, all) => ({
      step,
      kind,
      purpose: 'call',
      hasNext: index < all.length - 1,
      ofAccount: false,
    }));
  return [
    ...ofVerb('submit'),
    ...ofVerb('activate'),
    ...ofVerb('cancel'),
    ...ofVerb('update'),
    ...looks.map(
      (step, index): WalkedStep => ({
        step,
        kind: 'submit',
        purpose: 'look',
        hasNext: index < looks.length - 1,
        ofAccount: false,
      }),
    ),
    { step: reads.get, kind: 'poll', purpose: 'call', hasNext: false, ofAccount: false },
    ...(reads.list === undefined
      ? []
      : [{ step: reads.list.step, kind: 'poll', purpose: 'call', hasNext: false, ofAccount: true } as const]),
  ];
}
