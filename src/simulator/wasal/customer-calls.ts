/** The operations on customers and their addresses (Wasal document, "Endpoints" and "Errors"). */
import type { Answer, Call, Route } from '../kit.js';
import { created, invalid, ok, refuse } from './answers.js';
import type { StoredCustomer } from './customers.js';
import { byMerchant, type House, PREFIX, textsIn } from './house.js';
import type { Merchant } from './merchant.js';
import { renderAddress, renderCustomer } from './render.js';
import { checkAddress, checkCustomer, checkUpsert, MAX_ADDRESSES } from './validate.js';

export function customerRoutes(house: House): Route[] {
  const byPhone = (call: Call) => textsIn(call.body, 'phoneNumber');
  const byId = (call: Call) => [call.params.id ?? ''];
  const ofCustomer = (handle: (merchant: Merchant, customer: StoredCustomer, call: Call) => Answer) =>
    byMerchant(house, (merchant, call) => {
      const customer = merchant.customers.find(call.params.id ?? '');
      return customer === undefined ? refuse('CUSTOMER_NOT_FOUND') : handle(merchant, customer, call);
    });
  return [
    {
      verb: 'customer-create',
      method: 'POST',
      path: `${PREFIX}/customer`,
      references: byPhone,
      handle: byMerchant(house, (merchant, call) => create(house, merchant, call)),
    },
    {
      verb: 'customer-upsert',
      method: 'POST',
      path: `${PREFIX}/customer/upsert`,
      references: byPhone,
      handle: byMerchant(house, upsert),
    },
    {
      verb: 'customer-get',
      method: 'GET',
      path: `${PREFIX}/customer/:id`,
      references: byId,
      handle: ofCustomer((_merchant, customer) => ok({ customer: renderCustomer(customer) })),
    },
    {
      verb: 'customer-delete',
      method: 'DELETE',
      path: `${PREFIX}/customer/:id`,
      references: byId,
      handle: ofCustomer(remove),
    },
    {
      verb: 'address-create',
      method: 'POST',
      path: `${PREFIX}/customer/:id/address`,
      references: byId,
      handle: ofCustomer((merchant, customer, call) => addAddress(house, merchant, customer, call)),
    },
    {
      verb: 'address-update',
      method: 'PUT',
      path: `${PREFIX}/customer/:id/address/:addressId`,
      references: byId,
      handle: ofCustomer((merchant, customer, call) => changeAddress(house, merchant, customer, call)),
    },
  ];
}

function create(house: House, { customers }: Merchant, call: Call): Answer {
  const checked = checkCustomer(call.body, house.checkAreas);
  if (!checked.ok) return checked.refusal;
  const { name, phoneNumber, email, addresses } = checked.value;
  if (addresses.length > MAX_ADDRESSES) return refuse('MAX_ADDRESSES_EXCEEDED');
  if (customers.findByPhone(phoneNumber) !== undefined) return refuse('CUSTOMER_PHONE_DUPLICATE');
  if (customers.findByEmail(email) !== undefined) return refuse('CUSTOMER_EMAIL_DUPLICATE');
  const customer = customers.add(name, phoneNumber, email);
  for (const address of addresses) customers.addAddress(customer, address);
  return created({ customer: renderCustomer(customer) });
}

function upsert({ customers }: Merchant, call: Call): Answer {
  const checked = checkUpsert(call.body);
  if (!checked.ok) return checked.refusal;
  const { name, phoneNumber, email } = checked.value;
  const known = customers.findByPhone(phoneNumber);
  if (known === undefined && name === undefined)
    return invalid({ name: 'name is required for a new customer' });
  const namesake = customers.findByEmail(email);
  if (namesake !== undefined && namesake !== known) return refuse('CUSTOMER_EMAIL_DUPLICATE');
  if (known === undefined) {
    const customer = customers.add(name ?? '', phoneNumber, email);
    return created({ customer: renderCustomer(customer), created: true });
  }
  customers.change(known, checked.value);
  return ok({ customer: renderCustomer(known), created: false });
}

/** The answer's shape is not documented. */
function remove({ customers }: Merchant, customer: StoredCustomer): Answer {
  if (customer.hasOrders) return refuse('CUSTOMER_HAS_ORDERS');
  customers.remove(customer);
  return ok({});
}

function addAddress(house: House, { customers }: Merchant, customer: StoredCustomer, call: Call): Answer {
  const checked = checkAddress(call.body, house.checkAreas);
  if (!checked.ok) return checked.refusal;
  if (customer.addresses.length >= MAX_ADDRESSES) return refuse('MAX_ADDRESSES_EXCEEDED');
  return created({ address: renderAddress(customers.addAddress(customer, checked.value)) });
}

/** Whether fields that are not sent stay is not documented: the new address takes the old one's place. */
function changeAddress(house: House, { customers }: Merchant, customer: StoredCustomer, call: Call): Answer {
  const address = customer.addresses.find(({ id }) => id === call.params.addressId);
  // An address that is not the customer's has no code of its own in the reference.
  if (address === undefined) return invalid({ addressId: 'addressId is no address of the customer' });
  const checked = checkAddress(call.body, house.checkAreas);
  if (!checked.ok) return checked.refusal;
  customers.changeAddress(customer, address, checked.value);
  return ok({ address: renderAddress(address) });
}
