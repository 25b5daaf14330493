import type { IncomingMessage } from 'node:http';

/** A name or an address, perhaps with a port. */
const hostText = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;

/** True where the Host of a request is one: it goes into links. True for a request without. */
export function hasProperHost({ headers: { host } }: Pick<IncomingMessage, 'headers'>): boolean {
  return host === undefined || (hostText.test(host) && URL.canParse(`http://${host}`));
}
