/** The form of TRUSTED_PROXIES: the networks whose proxies are believed. */
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/** True for an address of a proxy. */
export type IsProxy = (address: string) => boolean;

/** The value of TRUSTED_PROXIES; null when absent. */
export const trustedProxies = z
  .string()
  .default('')
  .transform((text, context): IsProxy | null => {
    const networks = new BlockList();
    const entries = text.split(',').map((part) => part.trim());
    for (const [at, entry] of entries.entries()) {
      if (entry === '' || addNetwork(networks, entry)) continue;
      context.addIssue({
        code: 'custom',
        message: `entry ${at + 1} must be an address or a network such as 10.0.0.0/8 or fd00::/8`,
      });
    }
    if (entries.every((entry) => entry === '')) return null;
    return (address) => {
      const family = isIP(address);
      return family !== 0 && networks.check(address, family === 4 ? 'ipv4' : 'ipv6');
    };
  });

function addNetwork(networks: BlockList, entry: string): boolean {
  const [address = '', bits, ...rest] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  if (bits === undefined) {
    networks.addAddress(address, kind);
    return true;
  }
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return false;
  networks.addSubnet(address, Number(bits), kind);
  return true;
}
