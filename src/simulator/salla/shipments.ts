/** The shipments that the simulated store holds; their statuses are words, unlike those of orders. */
import type { Clock } from '../../time.js';
import { idSource } from './ids.js';
import { type Anchor, Life, type Standing } from './life.js';
import type { ShipmentBody, ShipmentUpdate } from './wire.js';

export interface StoredShipment {
  id: number;
  body: ShipmentBody;
  /** Turned by "Return Shipments". */
  type: 'shipment' | 'return';
  createdAt: number;
  touchedAt: number;
  hiddenUntil: number;
  anchor: Anchor<string>;
  /** What the carrier's side has told; it wins over what the simulator makes up. */
  update: ShipmentUpdate | undefined;
  /** Each status that somebody set, oldest first. */
  history: { status: string; note: string; at: number }[];
}

/** "Shipment statuses": what a shipment passes by itself. */
const CYCLE = [
  'creating',
  'created',
  'in_progress',
  'shipped',
  'in_transit',
  'received_at_final_hub',
  'delivering',
  'delivered',
];

// Until the carrier has it, a shipment can be canceled.
const CANCELABLE: ReadonlySet<string> = new Set(['pending', 'creating', 'created', 'in_progress']);
const PENDING: ReadonlySet<string> = new Set(['pending', 'creating']);

export const CANCELED = 'cancelled';

export class ShipmentBook {
  readonly #clock: Clock;
  readonly #life: Life<string>;
  readonly #nextId = idSource();
  readonly #shipments: StoredShipment[] = [];
  readonly #byId = new Map<number, StoredShipment>();
  readonly #byOrder = new Map<number, StoredShipment[]>();
  readonly #byExternalId = new Map<string, StoredShipment>();

  constructor(clock: Clock, stepMs: number) {
    this.#clock = clock;
    this.#life = new Life(clock, stepMs, CYCLE);
  }

  /** Takes a new shipment beside those that its order has; it replaces the pending ones only if told. */
  add(body: ShipmentBody, hideMs: number): StoredShipment {
    const now = this.#clock.now();
    const { orderId, externalId } = body;
    const shipment: StoredShipment = {
      id: this.#nextId(),
      body,
      type: body.type,
      createdAt: now,
      touchedAt: now,
      hiddenUntil: now + hideMs,
      anchor: this.#life.begin('creating', true),
      update: undefined,
      history: [{ status: 'creating', note: '', at: now }],
    };
    const siblings = orderId === undefined ? [] : (this.#byOrder.get(orderId) ?? []);
    if (body.overwritesPending) {
      for (const sibling of siblings) {
        if (PENDING.has(this.standing(sibling).status)) this.put(sibling, CANCELED, '', false);
      }
    }
    if (orderId !== undefined) this.#byOrder.set(orderId, [...siblings, shipment]);
    if (externalId !== undefined && !this.#byExternalId.has(externalId)) {
      this.#byExternalId.set(externalId, shipment);
    }
    this.#shipments.push(shipment);
    this.#byId.set(shipment.id, shipment);
    return shipment;
  }

  get(id: number): StoredShipment | undefined {
    return this.#byId.get(id);
  }

  ofOrder(orderId: number): readonly StoredShipment[] {
    return this.#byOrder.get(orderId) ?? [];
  }

  /** The first that was given this id of the caller's own. */
  byExternalId(externalId: string): StoredShipment | undefined {
    return this.#byExternalId.get(externalId);
  }

  /** By id or external id; for those who control the simulator. */
  find(name: string): StoredShipment | undefined {
    return this.byExternalId(name) ?? this.#byId.get(Number(name));
  }

  isVisible(shipment: StoredShipment): boolean {
    return this.#clock.now() >= shipment.hiddenUntil;
  }

  /** Oldest first. */
  all(): readonly StoredShipment[] {
    return this.#shipments;
  }

  standing(shipment: StoredShipment): Standing<string> {
    return this.#life.standing(shipment.anchor);
  }

  nextChangeAt(shipment: StoredShipment): number | undefined {
    return this.#life.nextChangeAt(shipment.anchor);
  }

  isCancelable(shipment: StoredShipment): boolean {
    return CANCELABLE.has(this.standing(shipment).status);
  }

  put(shipment: StoredShipment, status: string, note: string, moves: boolean): void {
    shipment.anchor = this.#life.begin(status, moves);
    shipment.touchedAt = shipment.anchor.since;
    shipment.history.push({ status, note, at: shipment.anchor.since });
  }

  /** What a carrier tells stands until it tells something else. */
  carry(shipment: StoredShipment, update: ShipmentUpdate): void {
    shipment.update = update;
    this.put(shipment, update.status, update.statusNote ?? '', false);
  }

  /** Begins the way back. */
  sendBack(shipment: StoredShipment): void {
    shipment.type = 'return';
    this.put(shipment, 'creating', '', true);
  }
}
