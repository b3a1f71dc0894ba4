/** Every provider as the conformance suite knows it: one line each. */
import type { Subject } from './conformance/subject.js';
import { gelatoConnect } from './gelato-connect/subject.js';
import { salla } from './salla/subject.js';
import { wasal } from './wasal/subject.js';
import { wupex } from './wupex/subject.js';
import { zupy } from './zupy/subject.js';

/** By the provider's id: accounts of every kind that it has. */
export const subjects: Readonly<Record<string, readonly [Subject, ...Subject[]]>> = {
  'gelato-connect': [gelatoConnect],
  salla,
  wasal: [wasal],
  wupex: [wupex],
  zupy: [zupy],
};
