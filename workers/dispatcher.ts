/** The dispatcher process: the same code as `packline dispatch`. */
import { runRoles } from '../src/run.js';

process.exitCode = await runRoles({ roles: ['dispatcher'], env: process.env, migrate: false });
