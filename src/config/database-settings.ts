/** The variables of the database: where it is, what it may be asked, how its tables come there. */
import { z } from 'zod';
import { bool, integer, oneOf } from './kinds.ts';
import { variable } from './variable.ts';

const postgresUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: 'must be an address such as postgres://user:password@host:5432/database',
});

/** The variables, each with its kind. */
export const databaseVariables = {
  DATABASE_URL: variable('A Postgres 15 or newer.', postgresUrl.optional(), {
    otherwise: 'the embedded Postgres',
    values: '`postgres://…`',
  }),
  DATABASE_URL_DIRECT: variable(
    'The same database past a pooler, where `DATABASE_URL` leads through one in transaction mode. For `LISTEN` and migrations.',
    postgresUrl.optional(),
    { values: '`postgres://…`' },
  ),
  LISTEN: variable(
    '`off`: processes do not hear each other and look four times a second instead; nothing is kept in a session.',
    bool(true, 'on', 'off'),
  ),
  DATABASE_CONNECTIONS: variable(
    'Most connections to Postgres that this process opens.',
    integer(24, 8, 1_000),
  ),
  DATABASE_WAIT_SECONDS: variable(
    'Seconds that the start waits for the database.',
    integer(60, 0, 86_400),
  ),
  DATABASE_ADOPT: variable(
    '`true`: a copy of another database becomes one of its own at this start; see [operating](../operating.md#a-copy-beside-the-original).',
    bool(false),
  ),
  MIGRATE: variable(
    '`auto` migrates where something is missing. `only` migrates, prints the names, and ends. `off` never does: a start ends where something is missing.',
    oneOf(['auto', 'only', 'off']).default('auto'),
  ),
  DATA_DIR: variable('Folder of the embedded Postgres.', z.string().min(1).default('.data'), {
    values: 'a path',
  }),
};

/** The values of the database's variables. */
export interface DatabaseSettings {
  /** Null: the embedded Postgres in `dataDirectory`. */
  databaseUrl: string | null;
  /** Past the pooler that `databaseUrl` leads through; null: that leads through none. */
  databaseUrlDirect: string | null;
  /** Processes hear of each other by LISTEN; false: they poll, and no session is needed. */
  listens: boolean;
  /** The most that this process opens to Postgres. */
  databaseConnections: number;
  /** Time that the start waits for the database. */
  databaseWaitSeconds: number;
  /** A copy beside its original is worked on from this start on. */
  databaseAdopt: boolean;
  /** `only`: migrates and ends. */
  migrate: 'auto' | 'only' | 'off';
}

/** The settings in variables that were read. */
export function databaseSettings(
  data: z.output<z.ZodObject<typeof databaseVariables>>,
): DatabaseSettings {
  return {
    databaseUrl: data.DATABASE_URL ?? null,
    databaseUrlDirect: data.DATABASE_URL_DIRECT ?? null,
    listens: data.LISTEN,
    databaseConnections: data.DATABASE_CONNECTIONS,
    databaseWaitSeconds: data.DATABASE_WAIT_SECONDS,
    databaseAdopt: data.DATABASE_ADOPT,
    migrate: data.MIGRATE,
  };
}
