/**
 * The part of Kuwait that the simulator knows, and what a delivery to it costs. The real references of PACI,
 * the civil information authority, are not documented: these count on, `1` (a governorate), `101` (its first
 * neighborhood), `10101` (that one's first block).
 */
import type { AddressBody } from './wire.js';

export type FeatureType = 'Governorate' | 'Neighborhood' | 'Block';

/** An area as "governorate-area" lists it. */
export interface Area {
  sourceId: string;
  title: { en: string; ar: string };
  featureType: FeatureType;
  governorateId: string;
  neighborhoodId: string | null;
}

/** A row of "pricing"; a neighborhood's own goes before that of its governorate. The fee is in fils. */
export interface Zone {
  destinationGovernorateId: string;
  neighborhoodId: string | null;
  deliveryFee: number;
}

const BLOCKS_EACH = 4;
const DEFAULT_FEE = 1_500;

const GOVERNORATES = [
  { en: 'Al Asimah', ar: 'العاصمة', fee: 1_250, first: ['Sharq', 'شرق'], second: ['Dasma', 'الدسمة'] },
  { en: 'Hawalli', ar: 'حولي', fee: 1_250, first: ['Salmiya', 'السالمية'], second: ['Jabriya', 'الجابرية'] },
  {
    en: 'Farwaniya',
    ar: 'الفروانية',
    fee: 1_500,
    first: ['Khaitan', 'خيطان'],
    second: ['Ardiya', 'العارضية'],
  },
  { en: 'Ahmadi', ar: 'الأحمدي', fee: 2_000, first: ['Fahaheel', 'الفحيحيل'], second: ['Mangaf', 'المنقف'] },
  { en: 'Jahra', ar: 'الجهراء', fee: 2_500, first: ['Qasr', 'القصر'], second: ['Naeem', 'النعيم'] },
  {
    en: 'Mubarak Al-Kabeer',
    ar: 'مبارك الكبير',
    fee: 1_750,
    first: ['Sabah Al-Salem', 'صباح السالم'],
    second: ['Adan', 'العدان'],
  },
] as const;

/** The second neighborhood of each governorate has a price of its own. */
const OWN_PRICE_OFF = 125;

export const AREAS: readonly Area[] = GOVERNORATES.flatMap(({ en, ar, first, second }, index) => {
  const id = String(index + 1);
  return [
    { sourceId: id, title: { en, ar }, featureType: 'Governorate', governorateId: id, neighborhoodId: null },
    ...neighborhood(id, `${id}01`, first),
    ...neighborhood(id, `${id}02`, second),
  ];
});

export const ZONES: readonly Zone[] = GOVERNORATES.flatMap(({ fee }, index) => {
  const id = String(index + 1);
  return [
    { destinationGovernorateId: id, neighborhoodId: null, deliveryFee: fee },
    {
      destinationGovernorateId: id,
      neighborhoodId: `${id}02`,
      deliveryFee: fee - OWN_PRICE_OFF,
    },
  ];
});

const BY_ID: ReadonlyMap<string, Area> = new Map(AREAS.map((known) => [known.sourceId, known]));

/** The fee of a delivery to an address, in fils; one without an area costs the same everywhere. */
export function deliveryFeeTo(address: AddressBody): number {
  const { neighborhoodId } = address;
  const governorateId = address.governorateId ?? BY_ID.get(neighborhoodId ?? '')?.governorateId;
  const own = ZONES.find((zone) => zone.neighborhoodId !== null && zone.neighborhoodId === neighborhoodId);
  const general = ZONES.find(
    (zone) => zone.neighborhoodId === null && zone.destinationGovernorateId === governorateId,
  );
  return (own ?? general)?.deliveryFee ?? DEFAULT_FEE;
}

/** The fields of an address that name no area, or one that does not lie within the other. */
export function strayAreas(address: AddressBody): string[] {
  const { governorateId, neighborhoodId, blockId } = address;
  const stray: string[] = [];
  if (governorateId !== undefined && BY_ID.get(governorateId)?.featureType !== 'Governorate')
    stray.push('governorateId');
  if (neighborhoodId !== undefined) {
    const known = BY_ID.get(neighborhoodId);
    if (
      known?.featureType !== 'Neighborhood' ||
      (governorateId ?? known.governorateId) !== known.governorateId
    )
      stray.push('neighborhoodId');
  }
  if (blockId !== undefined) {
    const known = BY_ID.get(blockId);
    if (known?.featureType !== 'Block' || (neighborhoodId ?? known.neighborhoodId) !== known.neighborhoodId)
      stray.push('blockId');
  }
  return stray;
}

function neighborhood(governorateId: string, id: string, [en, ar]: readonly [string, string]): Area[] {
  const blocks = Array.from({ length: BLOCKS_EACH }, (_none, index): Area => {
    const number = index + 1;
    return {
      sourceId: `${id}0${number}`,
      title: { en: `Block ${number}`, ar: `قطعة ${number}` },
      featureType: 'Block',
      governorateId,
      neighborhoodId: id,
    };
  });
  return [
    { sourceId: id, title: { en, ar }, featureType: 'Neighborhood', governorateId, neighborhoodId: id },
    ...blocks,
  ];
}
