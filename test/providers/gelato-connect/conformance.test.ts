import { conformance } from '../conformance.js';
import { gelatoConnect } from './subject.js';

conformance(gelatoConnect);
