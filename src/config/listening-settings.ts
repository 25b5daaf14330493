/** The variables of where the server listens. */
import { z } from 'zod';
import { integer } from './kinds.ts';
import { httpUrl } from './provider-settings.ts';
import { variable } from './variable.ts';

/** The variables, each with its kind. */
export const listeningVariables = {
  PORT: variable('Port to listen on; 0 for any free port.', integer(4000, 0, 65_535)),
  HOST: variable(
    'Address to listen on. An address other than loopback needs a key, in `API_KEYS` or in the database, but for `ROLE=worker`.',
    z.string().min(1).default('127.0.0.1'),
    { values: 'an address or a name' },
  ),
  PUBLIC_URL: variable(
    'Address that clients use, for links and for pages of that origin.',
    httpUrl.optional(),
    { otherwise: '`http://HOST:PORT`', values: '`https://…`' },
  ),
};
