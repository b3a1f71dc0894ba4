import { conformance } from '../conformance.js';
import { salla } from './subject.js';

conformance(...salla);
