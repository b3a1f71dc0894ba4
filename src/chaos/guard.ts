/** Keeps chaos on this machine: an environment that leads to real servers or providers is refused. */
import { parseAccountsFile, readAccountsFile } from '../accounts/file.js';
import { splitConfig } from '../accounts/settings.js';
import { isLoopback } from '../plain-http.js';
import { findProvider, providers } from '../providers/registry.js';

/**
 * Chaos brings its own servers and simulators and uses none that the environment names. An environment that names
 * others is still refused: whoever works in it may believe that these are what is put to the test.
 *
 * @returns what leads off this machine, as a sentence; null where nothing does
 */
export async function leadsElsewhere(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  for (const name of ['DATABASE_URL', 'REDIS_URL']) {
    const url = env[name]?.trim() ?? '';
    if (url !== '' && !isHere(url))
      return refusal(`${name} names a server that is not on this machine (loopback)`);
  }
  const file = env.PACKLINE_ACCOUNTS?.trim() ?? '';
  return file === '' ? null : accountsElsewhere(file, env);
}

function refusal(what: string): string {
  return `chaos kills and floods what it works with, and refuses here: ${what}. It brings its own servers and simulated providers; unset the variable.`;
}

async function accountsElsewhere(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  const read = await readAccountsFile(file);
  if (!read.ok) return refusal(`PACKLINE_ACCOUNTS cannot be checked: ${read.message}`);
  const parsed = parseAccountsFile(read.file, env, { providers, allowHttpHosts: [] });
  if (!parsed.ok) return refusal(`the accounts in ${file} have mistakes, so they cannot be checked`);
  for (const { id, provider, config } of parsed.accounts) {
    const far = findProvider(provider)
      ?.urls(splitConfig(config).own)
      .find(({ url }) => !isHere(url));
    if (far !== undefined)
      return refusal(
        `account ${id} in ${file} calls ${new URL(far.url).host}, a provider that is not on this machine (loopback)`,
      );
  }
  return null;
}

function isHere(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname);
}
