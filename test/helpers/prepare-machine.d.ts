/** Path of a program on PATH, or null. */
export function findProgram(name: string): string | null;
/** Path of a server that speaks Redis, or null. */
export function findRedis(): string | null;
