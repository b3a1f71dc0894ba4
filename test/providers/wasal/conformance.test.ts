import { conformance } from '../conformance.js';
import { wasal } from './subject.js';

conformance(wasal);
