import { conformance } from '../conformance.js';
import { zupy } from './subject.js';

conformance(zupy);
