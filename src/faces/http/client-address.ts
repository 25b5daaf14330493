/** Where a request comes from, when proxies stand before the server. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { IsProxy } from '../../config/trusted-proxies.ts';

/**
 * The address of the client: that of the connection, or where a trusted proxy connects, the last
 * in X-Forwarded-For that is not one of them.
 */
export function clientAddress(
  { socket, headers }: IncomingMessage,
  isProxy: IsProxy | null,
): string {
  let address = plain(socket.remoteAddress ?? '');
  if (isProxy === null) return address;
  const hops = String(headers['x-forwarded-for'] ?? '').split(',');
  while (isProxy(address)) {
    const next = plain((hops.pop() ?? '').trim());
    if (isIP(next) === 0) return address;
    address = next;
  }
  return address;
}

/** The scheme by which the client reached the first proxy that is trusted, else http. */
export function clientScheme(
  { socket, headers }: IncomingMessage,
  isProxy: IsProxy | null,
): 'http' | 'https' {
  if (!isProxy?.(plain(socket.remoteAddress ?? ''))) return 'http';
  const [scheme = ''] = String(headers['x-forwarded-proto'] ?? '').split(',');
  return scheme.trim().toLowerCase() === 'https' ? 'https' : 'http';
}

/** The network that counts as one address: of IPv6 somebody has 2^64 addresses, the first half. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const [first, last] = [groups(head), groups(tail ?? '')];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const all = [...first, ...Array<string>(Math.max(0, zeros)).fill('0'), ...last];
  return `${all.slice(0, 4).join(':')}::/64`;
}

/** Without what Node puts before IPv4, and what some proxies put behind: a port, brackets. */
function plain(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const [, inner] =
    /^\[([^\]]+)\](?::\d+)?$/.exec(bare) ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(bare) ?? [];
  return inner ?? bare;
}
