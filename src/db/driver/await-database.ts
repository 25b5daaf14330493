/**
 * The database at the start of a process: waited for while it comes up, and told in one sentence
 * where waiting would not help.
 */
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { StartFailure } from '../../core/errors.ts';
import { ConnectionLost, databaseFailureCode, ofDriver } from './failure.ts';

const tellEveryMs = 5_000;
const retryMs = 250;
/** A server that is not Postgres can hold the driver up for ever. */
const askMs = 5_000;
/** https://www.postgresql.org/docs/15/release-15.html: the oldest that the tests run on. */
const oldestVersion = 15;

/**
 * Resolves when the database answers. Until then it is asked again, up to `patienceMs`, and `tell`
 * hears a sentence at once and every 5 s. Throws StartFailure when the time is over, and at once
 * for what no waiting cures: a wrong password, a missing database, missing rights, a server that is
 * too old.
 */
export async function awaitDatabase(
  url: string,
  {
    tell,
    patienceMs,
    name = 'winnow',
    signal,
  }: {
    tell: (sentence: string) => void;
    patienceMs: number;
    /** Name of the connection that Postgres shows its operator. */
    name?: string;
    signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const until = performance.now() + patienceMs;
  let code: string | null = null;
  let isTold = false;
  const tellWhy = () => {
    isTold = true;
    const left = Math.max(0, Math.ceil((until - performance.now()) / 1_000));
    const why = inWords(code ?? 'CONNECT_TIMEOUT');
    tell(`Waiting for the database at ${placeOf(url)}, for up to ${left} s more: ${why}`);
  };
  // By its own clock: a server that says nothing holds each question up.
  const teller = setInterval(tellWhy, tellEveryMs);
  try {
    for (;;) {
      const failure = await ask(url, name);
      if (failure === null) return;
      signal?.throwIfAborted();
      code = databaseFailureCode(failure);
      if (code === null || neverMends(code)) throw startFailureOf(failure, url) ?? failure;
      const leftMs = until - performance.now();
      if (leftMs <= 0) {
        const seconds = Math.round(patienceMs / 1_000);
        throw new StartFailure(
          `The database at ${placeOf(url)} did not answer within ${seconds} s: ${inWords(code)}`,
        );
      }
      // The clock may have told of it already: the first question may take longer than 5 s.
      if (!isTold) {
        tellWhy();
        teller.refresh();
      }
      await delay(Math.min(retryMs, leftMs), undefined, { signal });
    }
  } finally {
    clearInterval(teller);
  }
}

/** Null when it answers as it must, else what is in the way. */
async function ask(url: string, name: string): Promise<unknown> {
  try {
    const version = await askVersion(url, name);
    if (version >= oldestVersion) return null;
    return new StartFailure(
      `The database at ${placeOf(url)} is Postgres ${version}; Winnow needs ${oldestVersion} or newer`,
    );
  } catch (error) {
    return ofDriver(error);
  }
}

async function askVersion(url: string, name: string): Promise<number> {
  const client = postgres(url, {
    max: 1,
    connect_timeout: askMs / 1_000,
    fetch_types: false,
    prepare: false,
    connection: { application_name: name },
    onnotice: () => undefined,
  });
  const asked = client<{ version: string }[]>`
    select current_setting('server_version_num') as version`;
  const late = new AbortController();
  try {
    const [row] = await Promise.race([
      asked,
      delay(askMs, undefined, { signal: late.signal }).then((): never => {
        throw new ConnectionLost('no answer in time');
      }),
    ]);
    return Math.floor(Number(row?.version) / 10_000);
  } finally {
    late.abort();
    asked.catch(() => undefined); // where it has been given up
    void client.end({ timeout: 0 }); // nobody waits for a goodbye
  }
}

/** Wrong passwords and accounts, no such database; see failure.ts. */
function neverMends(code: string): boolean {
  return code === '3D000' || code.startsWith('28');
}

/** Why the database lets nobody start, in one sentence; null where something else is wrong. */
export function startFailureOf(error: unknown, url: string): StartFailure | null {
  if (error instanceof StartFailure) return error;
  const { user, name } = partsOf(url);
  const place = placeOf(url);
  const sentence = (text: string) => new StartFailure(text, { cause: error });
  const denied = findDenied(error);
  if (denied !== null) {
    return sentence(
      `The database "${name}" at ${place} gives "${user}" too few rights (${denied}); grant what deploy/roles.sql grants and migrate with MIGRATE=only as the owner, or grant CREATE on the database and on its schema public`,
    );
  }
  const distrusted = findDistrusted(error);
  if (distrusted !== null) {
    return sentence(
      `The database "${name}" at ${place} shows "${user}" a certificate that is not trusted (${distrusted}); set NODE_EXTRA_CA_CERTS to its authority, or sslmode=require in DATABASE_URL to ask for none`,
    );
  }
  const code = databaseFailureCode(error);
  switch (code) {
    case null:
      return null;
    case '28P01':
      return sentence(`The database "${name}" at ${place} refuses the password of "${user}"`);
    case '3D000':
      return sentence(
        `There is no database "${name}" at ${place} for "${user}"; create it, or name another in DATABASE_URL`,
      );
    case '25006':
      return sentence(
        `The database at ${place} can only be read, as a standby can; name its primary in DATABASE_URL`,
      );
    default:
      return code.startsWith('28')
        ? sentence(
            `The database "${name}" at ${place} does not let "${user}" in: ${messageOf(error)}`,
          )
        : sentence(`The database at ${place} went away during the start: ${inWords(code)}`);
  }
}

/** insufficient_privilege */
const deniedState = '42501';

/** The database's word for what is not allowed; it names no value. */
function findDenied(error: unknown): string | null {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if ('code' in inner && inner.code === deniedState) return inner.message;
  }
  return null;
}

/** Codes of Node's TLS where it does not take a certificate, or a peer that speaks no TLS. */
const distrustCode = /CERT|^UNABLE_TO_|ERR_TLS|ERR_SSL|^HOSTNAME_MISMATCH$|^INVALID_(CA|PURPOSE)$/;

function findDistrusted(error: unknown): string | null {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if ('code' in inner && distrustCode.test(String(inner.code))) return String(inner.code);
  }
  return null;
}

function messageOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner instanceof Error ? inner.message : String(inner);
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'nothing listens there',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name is not known',
  CONNECT_TIMEOUT: 'it does not answer',
  CONNECTION_LOST: 'it does not answer as Postgres does',
  ECONNRESET:
    'it breaks connections off, as a server without TLS does where the address asks for that',
  ETIMEDOUT: 'it does not answer',
  '57P03': 'it is starting up',
  '53300': 'it has too many connections',
};

function inWords(code: string): string {
  return words[code] ? `${words[code]} (${code})` : code;
}

/** Host and port, for people: the password never stands in a sentence. */
export function placeOf(url: string): string {
  const { host, port } = partsOf(url);
  return `${host}:${port}`;
}

function partsOf(url: string): { user: string; host: string; port: string; name: string } {
  const { username, hostname, port, pathname } = new URL(url);
  const user = decodeURIComponent(username) || 'postgres';
  return {
    user,
    host: hostname || 'localhost',
    port: port || '5432',
    name: decodeURIComponent(pathname.slice(1)) || user,
  };
}
