/** The customers of a merchant, with their addresses. */
import type { Clock } from '../../time.js';
import type { Ids } from './ids.js';
import type { AddressBody, UpsertBody } from './wire.js';

export interface StoredAddress {
  id: string;
  body: AddressBody;
}

export interface StoredCustomer {
  id: string;
  name: string;
  phoneNumber: string;
  email: string | undefined;
  /** The first is the default one. */
  addresses: StoredAddress[];
  /** Cancelled ones included. */
  hasOrders: boolean;
  /** Milliseconds since the epoch, like `updatedAt`. */
  createdAt: number;
  updatedAt: number;
}

/** Phone numbers and email addresses are unique within one book. */
export class CustomerBook {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #byId = new Map<string, StoredCustomer>();
  readonly #byPhone = new Map<string, StoredCustomer>();
  readonly #byEmail = new Map<string, StoredCustomer>();

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock;
    this.#ids = ids;
  }

  find(id: string): StoredCustomer | undefined {
    return this.#byId.get(id);
  }

  findByPhone(phoneNumber: string): StoredCustomer | undefined {
    return this.#byPhone.get(phoneNumber);
  }

  findByEmail(email: string | undefined): StoredCustomer | undefined {
    return email === undefined ? undefined : this.#byEmail.get(email);
  }

  /** Neither phone number nor email address may be taken. */
  add(name: string, phoneNumber: string, email: string | undefined): StoredCustomer {
    const now = this.#clock.now();
    const customer: StoredCustomer = {
      id: this.#ids.object(),
      name,
      phoneNumber,
      email,
      addresses: [],
      hasOrders: false,
      createdAt: now,
      updatedAt: now,
    };
    this.#byId.set(customer.id, customer);
    this.#byPhone.set(phoneNumber, customer);
    if (email !== undefined) this.#byEmail.set(email, customer);
    return customer;
  }

  /** What is not given stays; the email address may not be another customer's. */
  change(customer: StoredCustomer, { name, email }: UpsertBody): void {
    customer.name = name ?? customer.name;
    if (email !== undefined) {
      if (customer.email !== undefined) this.#byEmail.delete(customer.email);
      this.#byEmail.set(email, customer);
      customer.email = email;
    }
    customer.updatedAt = this.#clock.now();
  }

  remove(customer: StoredCustomer): void {
    this.#byId.delete(customer.id);
    this.#byPhone.delete(customer.phoneNumber);
    if (customer.email !== undefined) this.#byEmail.delete(customer.email);
  }

  addAddress(customer: StoredCustomer, body: AddressBody): StoredAddress {
    const address: StoredAddress = { id: this.#ids.object(), body };
    customer.addresses.push(address);
    customer.updatedAt = this.#clock.now();
    return address;
  }

  /** Orders under way to it show the new one too. */
  changeAddress(customer: StoredCustomer, address: StoredAddress, body: AddressBody): void {
    address.body = body;
    customer.updatedAt = this.#clock.now();
  }
}
