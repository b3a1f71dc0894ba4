/** The maintenance process: the same code as `packline maintain`. */
import { runRoles } from '../src/run.js';

process.exitCode = await runRoles({ roles: ['maintenance'], env: process.env, migrate: false });
