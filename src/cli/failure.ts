/** Failures of a command, and the exit codes that tell of them. */
import {
  Aborted,
  BadUserInput,
  BatchFailed,
  type BatchState,
  ConnectionLost,
  Forbidden,
  type InputIssue,
  type Projection,
  Unauthenticated,
  WinnowError,
} from '../client/index.ts';
import { usdText } from './columns.ts';

export const exits = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  noServer: 3,
  noKey: 4,
  rowsFailed: 5,
  paused: 6,
  ended: 130,
} as const;

/** The command line is wrong, or asks for what needs an answer that nobody can give. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
}

/** Nothing answers where the server is looked for, or a server of its own cannot start. */
export class NoServer extends Error {
  override readonly name = 'NoServer';
}

/** It waits for somebody or for the next month. The message says why, and how it goes on. */
export class Paused extends Error {
  override readonly name = 'Paused';
  readonly batch: BatchState;

  constructor(
    batch: BatchState,
    {
      isLocal,
      isNew,
      projection,
    }: { isLocal: boolean; isNew: boolean; projection: Projection | null },
  ) {
    const { id, pauseReason, pauseMessage, resumesAt } = batch;
    const limit = pauseReason === 'budget' ? ' --max-cost USD' : '';
    const local = isLocal ? ' --local' : '';
    const whole = projection?.costUsd;
    // With --new the same command would make another batch.
    const onward = isNew
      ? `winnow show ${id}${local} --watch waits for it`
      : 'the same command goes on with it';
    const lines = [
      `${id} is paused: ${pauseMessage}.`,
      ...(whole ? [`The whole batch will cost about ${usdText(whole)}.`] : []),
      `winnow output ${id}${local} gives the answers so far.`,
      resumesAt
        ? `From ${resumesAt.toISOString()} on, or once there is room, ${onward}.`
        : `winnow resume ${id}${limit}${local} lets it go on; then ${onward}.`,
    ];
    super(lines.join('\n'));
    this.batch = batch;
  }
}

/** Ctrl-C. The message says what becomes of the batch. */
export class Ended extends Error {
  override readonly name = 'Ended';
  /** True where standard error has the message already. */
  readonly isTold: boolean;

  constructor(message: string, { isTold } = { isTold: false }) {
    super(message);
    this.isTold = isTold;
  }
}

/** The reader of standard output is gone, as in `winnow … | head -1`. */
export class ReaderLeft extends Error {
  override readonly name = 'ReaderLeft';
}

/** A failure as a command tells of it. */
export interface Told {
  exit: number;
  error: { code: string; message: string; issues: readonly InputIssue[] };
  /** The batch that failed or waits; null where none did. */
  batch: BatchState | null;
}

/** The exit code and the words of anything that was thrown. */
export function tellOf(thrown: unknown): Told {
  const told = (exit: number, code: string, issues: readonly InputIssue[] = []): Told => ({
    exit,
    error: { code, message: messageOf(thrown), issues },
    batch: thrown instanceof BatchFailed || thrown instanceof Paused ? { ...thrown.batch } : null,
  });
  if (thrown instanceof WrongUse) return told(exits.wrongUse, 'usage');
  if (thrown instanceof NoServer) return told(exits.noServer, 'no_server');
  if (thrown instanceof Paused) return told(exits.paused, 'PAUSED');
  if (thrown instanceof Ended) return told(exits.ended, 'ABORTED');
  if (thrown instanceof WinnowError) {
    return told(exitOf(thrown), thrown.code, thrown.issues);
  }
  const { code } = thrown as { code?: unknown };
  return told(exits.failed, typeof code === 'string' ? code : 'INTERNAL');
}

function exitOf(error: WinnowError): number {
  if (error instanceof Aborted) return exits.ended;
  if (error instanceof BadUserInput) return exits.wrongUse;
  if (error instanceof ConnectionLost) return exits.noServer;
  if (error instanceof Unauthenticated || error instanceof Forbidden) return exits.noKey;
  return exits.failed;
}

function messageOf(thrown: unknown): string {
  if (thrown instanceof Unauthenticated) {
    return `${thrown.message}. WINNOW_API_KEY must be a key of the server.`;
  }
  if (thrown instanceof BadUserInput) return withFlag(thrown.message);
  const { code, path } = thrown as { code?: unknown; path?: unknown };
  if (code === 'ENOENT' && path !== undefined) return `There is no file or folder ${path}`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Flags by the names that the server has for what they give. */
const flagOfField: Readonly<Record<string, string>> = {
  categories: 'categories',
  contentField: 'column',
  customIdField: 'id',
  examples: 'examples',
  fields: 'fields',
  instructions: 'instructions',
  maxCostUsd: 'max-cost',
  preview: 'preview',
  model: 'model',
  responseSchema: 'schema',
  schema: 'schema',
  systemPrompt: 'system',
  userPromptTemplate: 'template',
  webhookUrl: 'webhook',
};

/** A message of the server's that begins with the place of an option, begun with its flag. */
function withFlag(message: string): string {
  const [start = '', field = ''] =
    /^(?:input\.(?:operation\.\w+\.)?|options\.)?(\w+)\b/.exec(message) ?? [];
  const flag = Object.hasOwn(flagOfField, field) ? flagOfField[field] : undefined;
  return flag === undefined ? message : `--${flag}${message.slice(start.length)}`;
}
