/**
 * Lets plain Node run the TypeScript sources: `node --import ./test/helpers/typescript.js script.ts`.
 * For child processes of tests, which have to be real ones (to be killed) and cannot rely on a fresh build.
 */
import { register } from 'node:module';

register('./typescript-hooks.js', import.meta.url);
