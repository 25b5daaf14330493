/** Names to addresses, and addresses to sockets: the address checked is the one dialled. */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { type AddressRules, checkWebhookUrl, isAllowedAddress, notPublic } from './address.ts';

/** All addresses of a host name. Rejects without any. */
export type ResolveName = (hostname: string) => Promise<{ address: string; family: number }[]>;

/** The name stands for an address that may not be called. */
export class BlockedAddress extends Error {
  override readonly name = 'BlockedAddress';
}

/** The name stands for no address, as far as the name servers tell. */
export class NoAddress extends Error {
  override readonly name = 'NoAddress';
}

/** A name server that does not answer is given up after twice this. */
const queryTimeoutMs = 2_500;
/** Time that a submit waits for a name server. */
const submitTimeoutMs = 2_000;

/**
 * Asks the name servers directly. The operating system's own resolver blocks one of Node's four
 * threads while a name server is silent, which a tenant may run. Files and all other names would
 * wait behind it. Where private addresses are allowed it is used nevertheless, for what stands in
 * /etc/hosts or in a container's own names.
 */
export function createResolveName({
  allowPrivate,
  nameServers,
}: AddressRules & {
  /** `address:port`; absent: the system's. */
  nameServers?: readonly string[];
}): ResolveName {
  if (allowPrivate) return async (hostname) => await lookup(hostname, { all: true });
  const resolver = new Resolver({ timeout: queryTimeoutMs, tries: 2 });
  if (nameServers) resolver.setServers(nameServers);
  return async (hostname) => {
    const [v4, v6] = await Promise.allSettled([
      resolver.resolve4(hostname),
      resolver.resolve6(hostname),
    ]);
    const found = [
      ...(v4.status === 'fulfilled' ? v4.value.map((address) => ({ address, family: 4 })) : []),
      ...(v6.status === 'fulfilled' ? v6.value.map((address) => ({ address, family: 6 })) : []),
    ];
    if (found.length === 0 && v4.status === 'rejected') throw v4.reason;
    return found;
  };
}

/**
 * checkWebhookUrl, and what the name stands for now: null too when the name servers are slow or
 * fail, since each attempt looks again. One address that is not public is enough to refuse a name.
 * A name without an address gets the same answer: else a caller learns internal names.
 */
export async function checkWebhookTarget(
  url: string,
  { allowPrivate, resolveName }: AddressRules & { resolveName: ResolveName },
): Promise<string | null> {
  const problem = checkWebhookUrl(url, { allowPrivate });
  if (problem !== null || allowPrivate) return problem;
  const { hostname } = new URL(url);
  if (isAllowedAddress(hostname, { allowPrivate })) return null;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never[]>((resolve) => {
    timer = setTimeout(resolve, submitTimeoutMs, []);
  });
  try {
    const found = await Promise.race([resolveName(hostname), late]);
    return found.every(({ address }) => isAllowedAddress(address, { allowPrivate }))
      ? null
      : notPublic;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOTFOUND' || code === 'ENODATA' ? notPublic : null;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Connects for one attempt; `close` ends what it has begun, a connection that does not stand yet
 * included. `dials` is true once there is an address that may be called: before that, what failed
 * says something of the name alone.
 */
export function createDialer({
  allowPrivate,
  resolveName,
  timeoutMs,
}: AddressRules & { resolveName: ResolveName; timeoutMs: number }): {
  connect: buildConnector.connector;
  readonly dials: boolean;
  close(): void;
} {
  let closed = false;
  let dials = false;
  let socket: Socket | undefined;
  const connector = buildConnector({
    timeout: timeoutMs,
    // Node calls it for names only, and dials one of the addresses that it answers with.
    lookup(hostname, { all }, callback) {
      resolveAllowed(hostname).then(
        ([first, ...others]) =>
          all ? callback(null, [first, ...others]) : callback(null, first.address, first.family),
        (error: Error) => callback(error, []),
      );
    },
  });

  async function resolveAllowed(hostname: string) {
    const found = await resolveName(hostname).catch((cause: unknown) => {
      throw new NoAddress(`${hostname} has no address`, { cause });
    });
    if (!found.every(({ address }) => isAllowedAddress(address, { allowPrivate }))) {
      throw new BlockedAddress(`${hostname} is not public`);
    }
    const [first, ...others] = found;
    if (!first || closed) throw new NoAddress(`${hostname} has no address`);
    dials = true;
    return [first, ...others] as const;
  }

  return {
    connect(options, callback) {
      if (isIP(options.hostname) && !isAllowedAddress(options.hostname, { allowPrivate })) {
        callback(new BlockedAddress(`${options.hostname} is not public`), null);
        return;
      }
      dials ||= isIP(options.hostname) !== 0;
      // Its type hides that it answers with the socket that it is about to connect.
      socket = connector(options, callback) as unknown as Socket;
    },
    get dials() {
      return dials;
    },
    close() {
      closed = true;
      socket?.destroy();
    },
  };
}
