/** Where a request may go without TLS: this machine, and hosts that the operator has named. Pure. */
import { isIPv4 } from 'node:net';

/** What is wrong with a URL that packline is told to call. */
export type UrlFault = 'not_a_url' | 'scheme' | 'credentials' | 'plain_http';

/** A sentence for each fault, to follow the name of the setting. */
export const URL_FAULTS: Record<UrlFault, string> = {
  not_a_url: 'must be an absolute http or https URL',
  scheme: 'must begin with https:// (or http:// on this machine)',
  credentials: 'must not hold a user name or password',
  plain_http:
    'must begin with https://: plain http is refused off this machine, except for hosts named in PACKLINE_ALLOW_HTTP_HOSTS',
};

/**
 * @param text the URL; may be a template with placeholders behind its host
 * @param allowHttpHosts lower-case host names or addresses, without port
 * @returns what is wrong with it, or null
 */
export function urlFault(text: string, allowHttpHosts: readonly string[]): UrlFault | null {
  if (!URL.canParse(text)) return 'not_a_url';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'scheme';
  if (url.username !== '' || url.password !== '') return 'credentials';
  const host = bareHost(url.hostname);
  if (url.protocol === 'http:' && !isLoopback(host) && !allowHttpHosts.includes(host)) return 'plain_http';
  return null;
}

/** Whether a host is this machine, by its name or address alone: nothing is resolved. */
export function isLoopback(host: string): boolean {
  const bare = bareHost(host);
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}

/** An IPv6 address without its brackets, a name without the root's dot. */
function bareHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
