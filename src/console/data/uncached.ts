/**
 * A client without a cache: for long lists and whole rows, which a cache would keep for as long as
 * the page is open.
 */
import { Client, fetchExchange, mapExchange } from 'urql';
import { isUnauthenticated } from './client.ts';
import { key, refuseKey } from './key.ts';
import { addressOf } from './root.ts';

let made: { of: string | null; client: Client } | null = null;

/** Sends the key that is valid now. */
export function uncached(): Client {
  const given = key.get();
  if (made?.of !== given) made = { of: given, client: createUncached(given) };
  return made.client;
}

function createUncached(given: string | null): Client {
  return new Client({
    url: addressOf('/graphql'),
    preferGetMethod: false,
    fetchOptions: given === null ? {} : { headers: { authorization: `Bearer ${given}` } },
    exchanges: [
      mapExchange({
        onError: (error) => {
          if (isUnauthenticated(error)) refuseKey(given);
        },
      }),
      fetchExchange,
    ],
  });
}
