/** A server on its port, or the sentence that says why it cannot have it. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartFailure } from '../../core/errors.ts';

interface Place {
  host: string;
  port: number;
  /** The variable that sets the port, for the message. */
  variable: 'PORT' | 'METRICS_PORT';
}

/** Resolves with where it is reached, without a trailing slash. Throws StartFailure. */
export async function listen(http: Server, place: Place): Promise<string> {
  const { host, port } = place;
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(cannotListen(error, place));
    http.once('error', fail);
    http.listen(port, host, () => {
      http.off('error', fail);
      resolve();
    });
  });
  return `http://${reachable(host)}:${(http.address() as AddressInfo).port}`;
}

/** An address as URLs name it. Browsers cannot open the one that means every address. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function cannotListen(error: NodeJS.ErrnoException, { host, port, variable }: Place): Error {
  const place = `${host}:${port}`;
  const sentence = (text: string) => new StartFailure(text, { cause: error });
  switch (error.code) {
    case 'EADDRINUSE':
      return sentence(`${variable} must be free: ${place} is in use, perhaps by another Winnow`);
    case 'EACCES':
      return sentence(
        `${variable} must be 1024 or more for this user, who may not listen on ${place}`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return sentence(`HOST must be an address of this machine, not ${host} (${error.code})`);
    default:
      return error;
  }
}
