/**
 * Addresses that a webhook may call: the public internet over https, nothing that only this server
 * can reach. Checked when a batch is submitted, again at each attempt, and for the very address
 * that is dialled (dial.ts).
 */
import ipaddr from 'ipaddr.js';

/**
 * True where http and private addresses may be called: in development, without untrusted callers.
 */
export interface AddressRules {
  allowPrivate: boolean;
}

/** As long as every proxy and server takes. */
const maxUrlLength = 2_048;

/**
 * Ports above 1,023 that speak something else than HTTP, or HTTP that nobody should drive from
 * outside: databases, queues, Docker, Kubernetes, X11 and IRC. Below 1,024 only 443 and, where http
 * is allowed, 80 are called at all.
 */
const refusedPorts = new Set([
  1080, 1433, 1521, 1719, 1720, 1723, 2049, 2181, 2375, 2376, 2379, 2380, 3128, 3306, 3389, 3659,
  4045, 4190, 5060, 5061, 5432, 5433, 5672, 5900, 5984, 6000, 6379, 6380, 6443, 6566, 6665, 6666,
  6667, 6668, 6669, 6697, 7000, 7001, 7687, 8086, 9042, 9092, 9160, 9200, 9300, 10080, 10250, 10255,
  11211, 15672, 26379, 27017, 27018, 27019,
]);

/** Names of one machine or local network (RFC 6761, RFC 6762, ICANN's .internal). */
const localName = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa|home|corp)\.?$/;

/** A public address of Azure that answers from every machine there as its platform's own agent. */
const platformAddresses = new Set(['168.63.129.16']);

/** IPv6 hands out global addresses from here only; exceptions would let `::127.0.0.1` pass. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** The fault of a webhook's URL, for people; null when it may be called. Looks nothing up. */
export function checkWebhookUrl(url: string, { allowPrivate }: AddressRules): string | null {
  if (url.length > maxUrlLength) return `must be at most ${maxUrlLength} characters`;
  // The parser drops or turns these silently; what is stored should be what is called.
  if (/[\s\p{Cc}\\]/u.test(url)) return 'must not contain white space or backslashes';
  if (!URL.canParse(url)) return 'is not a URL such as https://example.com/hook';

  const { protocol, hostname, port, username, password } = new URL(url);
  if (protocol !== 'https:' && !(allowPrivate && protocol === 'http:')) {
    return 'must be an https:// URL';
  }
  if (username || password) return 'must not contain a user name or password';
  if (!isAllowedPort(protocol, port)) return `must not use port ${port}`;
  if (allowPrivate) return null;

  const literal = parseAddress(hostname);
  if (literal ? !isPublic(literal) : localName.test(hostname) || !/[^.]\.[^.]/.test(hostname)) {
    return notPublic;
  }
  return null;
}

/** One sentence for everything that is not public, so that it does not tell what there is. */
export const notPublic = 'must name a public address';

/** True when an IP address, in any spelling of Node's, may be dialled; false without one. */
export function isAllowedAddress(address: string, { allowPrivate }: AddressRules): boolean {
  if (allowPrivate) return true;
  const parsed = parseAddress(address);
  return parsed !== null && isPublic(parsed);
}

function isAllowedPort(protocol: string, port: string): boolean {
  if (port === '') return true; // 443, and 80 of http
  const number = Number(port);
  return number < 1_024
    ? number === 443 || (number === 80 && protocol === 'http:')
    : !refusedPorts.has(number);
}

/** Null for a name. URL has turned all other forms of IPv4 into dotted decimals already. */
function parseAddress(host: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const bare = host.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(bare) ? ipaddr.parse(bare) : null;
}

/**
 * Only what IANA gives out for general use: not private, shared (RFC 6598), loopback, link-local,
 * multicast or documentation. No IPv6 address that stands for an IPv4 one (mapped, compatible,
 * NAT64, 6to4, Teredo), whatever that one is.
 */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv6
    ? address.match(globalUnicast)
    : !platformAddresses.has(address.toString());
}
