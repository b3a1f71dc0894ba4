/** The api process: the same code as `packline api`. */
import { runRoles } from '../src/run.js';

process.exitCode = await runRoles({ roles: ['api'], env: process.env, migrate: false });
