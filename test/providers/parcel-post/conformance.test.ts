import { providers } from '../../../src/providers/registry.js';
import { parcelPost } from '../../fixtures/parcel-post/index.js';
import { conformanceOf } from '../conformance.js';
import { parcelPost as subject } from './subject.js';

conformanceOf([...providers, parcelPost], subject);
