import { conformance } from '../conformance.js';
import { wupex } from './subject.js';

conformance(wupex);
