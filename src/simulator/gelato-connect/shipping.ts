/**
 * Where the simulated print shop ships from and how. The document names neither its facilities nor its
 * methods beyond the samples; these are invented, apart from `dhl_global_parcel` and `fed_ex_2_day`.
 */

export interface ShipmentMethod {
  uid: string;
  name: string;
  carrier: string;
  /** What the document calls a shipping option tier. */
  tier: string;
  /** Only for finding the cheapest; in euros. */
  price: number;
  minDays: number;
  maxDays: number;
}

const CHEAPEST: ShipmentMethod = {
  uid: 'dhl_global_parcel',
  name: 'DHL Global Parcel',
  carrier: 'dhl',
  tier: 'normal',
  price: 4.9,
  minDays: 3,
  maxDays: 7,
};

const METHODS: readonly ShipmentMethod[] = [
  CHEAPEST,
  {
    uid: 'ups_standard',
    name: 'UPS Standard',
    carrier: 'ups',
    tier: 'standard',
    price: 7.4,
    minDays: 2,
    maxDays: 5,
  },
  {
    uid: 'dhl_express',
    name: 'DHL Express',
    carrier: 'dhl',
    tier: 'express',
    price: 16.2,
    minDays: 1,
    maxDays: 3,
  },
  {
    uid: 'fed_ex_2_day',
    name: 'FedEx 2Day',
    carrier: 'fedex',
    tier: 'express',
    price: 19.9,
    minDays: 2,
    maxDays: 2,
  },
];

/**
 * The cheapest method that one of the comma-separated tokens names by uid, carrier or tier ("Selecting a
 * Shipping Method"). What happens when none fits is not documented: then the cheapest of all.
 */
export function chooseMethod(requested: string | undefined): ShipmentMethod {
  const tokens = (requested ?? '').split(',').map((token) => token.trim().toLowerCase());
  return (
    METHODS.filter(({ uid, carrier, tier }) =>
      tokens.some((token) => token === uid || token === carrier || token === tier),
    ).reduce<ShipmentMethod | undefined>(cheaper, undefined) ?? CHEAPEST
  );
}

function cheaper(best: ShipmentMethod | undefined, other: ShipmentMethod): ShipmentMethod {
  return best !== undefined && best.price <= other.price ? best : other;
}

const HOME_FACILITY = 'DE';
const FACILITIES: ReadonlySet<string> = new Set([HOME_FACILITY, 'US', 'CA', 'AU']);
// The European Union's customs union: no customs, hence no declared values, between these.
const CUSTOMS_UNION: ReadonlySet<string> = new Set(
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '),
);

/** The country of the facility that prints for a destination. */
export function fulfilledIn(country: string): string {
  return FACILITIES.has(country) ? country : HOME_FACILITY;
}

/**
 * Whether a parcel passes customs, so that it needs retail prices. The document's sample, Germany to Great
 * Britain, does.
 */
export function crossesBorder(country: string): boolean {
  const from = fulfilledIn(country);
  return from !== country && !(CUSTOMS_UNION.has(from) && CUSTOMS_UNION.has(country));
}
