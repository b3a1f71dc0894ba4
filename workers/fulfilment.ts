/** The fulfilment process: the same code as `packline work`. */
import { runRoles } from '../src/run.js';

process.exitCode = await runRoles({ roles: ['fulfilment'], env: process.env, migrate: false });
