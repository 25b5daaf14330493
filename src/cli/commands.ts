/** Every command with its words, its flags and what runs it. */
import type { OperationName } from '../client/index.ts';
import * as batches from './batch-commands.ts';
import { printCompletion, shellNames } from './completion.ts';
import { database, databaseWords } from './database-commands.ts';
import * as files from './file-commands.ts';
import type { FlagName, Given } from './flags.ts';
import { healthcheck } from './healthcheck-command.ts';
import { submitFlags } from './job.ts';
import { keys, keysFlags, keysWords } from './keys-commands.ts';
import * as money from './money-commands.ts';
import { operationFlags } from './operation.ts';
import { owners, ownersWords } from './owners-commands.ts';
import { runOperation } from './run-operation.ts';
import type { Shell } from './shell.ts';
import { webhookSecret } from './webhook-secret-command.ts';

/** The end of a command, and its words with --json. */
export interface CommandOutcome {
  exit: number;
  json: object;
}

export interface Command {
  name: string;
  /** Words behind the name, as the help shows them. */
  words: string;
  summary: string;
  /** The only words that may stand first behind the name. Absent: files and ids. */
  firstWords?: readonly string[];
  /** Runs as it stands, with ids and files that are there. */
  example: string;
  flags: readonly FlagName[];
  run(given: Given, shell: Shell): Promise<CommandOutcome>;
}

const everywhere: readonly FlagName[] = ['json', 'help'];
const withServer: readonly FlagName[] = ['url', 'local', ...everywhere];

function operation(name: OperationName, summary: string, example: string): Command {
  return {
    name,
    words: 'FILE',
    summary,
    example,
    flags: [
      ...operationFlags[name],
      'column',
      'id',
      ...submitFlags,
      'output',
      'format',
      // The requests of chat are sent as they are, and later.
      ...(name === 'chat' ? [] : (['prompt-caching', 'sample'] as const)),
      'detach',
      'allow-failures',
      'yes',
      'quiet',
      ...withServer,
    ],
    run: (given, shell) => runOperation(name, given, shell),
  };
}

function ofBatch(
  name: 'cancel' | 'pause' | 'resume' | 'retry' | 'start',
  summary: string,
  flags: readonly FlagName[] = withServer,
): Command {
  return {
    name,
    words: 'ID',
    summary,
    example: `winnow ${name} batch_…`,
    flags,
    run: (given, shell) => batches.change(name, given, shell),
  };
}

export const commands: readonly Command[] = [
  operation(
    'label',
    'one category for each row, or all that apply',
    'winnow label reviews.csv --categories praise,complaint -o labels.csv',
  ),
  operation(
    'extract',
    'values of each row, in an object',
    `winnow extract reviews.csv --schema '{"product": "string", "stars": "integer"}' -o values.csv`,
  ),
  operation('summarize', 'a summary of each row', 'winnow summarize reviews.csv -o short.csv'),
  operation(
    'enrich',
    'further columns for each row',
    'winnow enrich reviews.csv --fields sentiment,topic -o richer.csv',
  ),
  operation(
    'run',
    'a task of your own on each row',
    `winnow run reviews.csv --instructions 'Translate into German' -o german.csv`,
  ),
  operation(
    'chat',
    'rows that are requests already',
    'winnow chat requests.jsonl -o answers.jsonl',
  ),
  {
    name: 'quote',
    words: 'OPERATION FILE',
    summary: 'what an operation would take, and cost',
    firstWords: money.quotedOperations,
    example: 'winnow quote label reviews.csv --categories praise,complaint',
    flags: [...money.quoteFlags, ...withServer],
    run: money.quote,
  },
  {
    name: 'batches',
    words: '',
    summary: 'the batches, newest first',
    example: 'winnow batches --status processing --limit 5',
    flags: ['status', 'name', 'limit', ...withServer],
    run: batches.list,
  },
  {
    name: 'show',
    words: 'ID',
    summary: 'how far a batch is',
    example: 'winnow show batch_… --watch',
    flags: ['watch', 'allow-failures', 'quiet', ...withServer],
    run: batches.show,
  },
  {
    name: 'output',
    words: 'ID',
    summary: 'the answers of a batch, at any time',
    example: 'winnow output batch_… -o answers.csv',
    flags: [
      'output',
      'format',
      'status',
      'label',
      'confidence-below',
      'confidence-from',
      'include',
      ...withServer,
    ],
    run: batches.output,
  },
  ofBatch('cancel', 'ends a batch; stored answers stay'),
  ofBatch('pause', 'sends nothing new until it is resumed'),
  ofBatch('resume', 'lets a paused batch go on', ['max-cost', ...withServer]),
  ofBatch('retry', 'sends failed, expired and cancelled rows again'),
  ofBatch('start', 'starts a draft'),
  {
    name: 'delete',
    words: 'ID',
    summary: 'deletes a batch with its answers',
    example: 'winnow delete batch_… --yes',
    flags: ['yes', ...withServer],
    run: batches.remove,
  },
  {
    name: 'files',
    words: '',
    summary: 'the files, newest first',
    example: 'winnow files --limit 5',
    flags: ['limit', ...withServer],
    run: files.list,
  },
  {
    name: 'upload',
    words: 'FILE',
    summary: 'uploads a file and makes no batch',
    example: 'winnow upload reviews.csv --column text',
    flags: ['column', 'id', ...withServer],
    run: files.upload,
  },
  {
    name: 'models',
    words: '',
    summary: 'the models that --model can name, with their prices',
    example: 'winnow models',
    flags: withServer,
    run: files.models,
  },
  {
    name: 'spending',
    words: '[MONTH]',
    summary: 'what a month cost, by model; absent: the present month',
    example: 'winnow spending 2026-11',
    flags: withServer,
    run: money.spending,
  },
  {
    name: 'parse',
    words: 'FILE',
    summary: 'reads a file of batch results without a model',
    example: `winnow parse results.jsonl --schema '{"label": "string"}'`,
    flags: ['schema', 'status', ...withServer],
    run: files.parse,
  },
  {
    name: 'database',
    words: `${databaseWords.join('|')} [FILE]`,
    summary: 'the whole database in a file, and back; a copy, to be worked on beside its original',
    firstWords: databaseWords,
    example: 'winnow database dump winnow.sql',
    flags: ['yes', ...everywhere],
    run: database,
  },
  {
    name: 'owners',
    words: `${ownersWords.join('|')} [NAME]`,
    summary: 'what each owner has in the database, and the end of one',
    firstWords: ownersWords,
    example: 'winnow owners list',
    flags: ['yes', ...everywhere],
    run: owners,
  },
  {
    name: 'keys',
    words: `${keysWords.join('|')} [ID]`,
    summary: 'keys of the server, in its database itself',
    firstWords: keysWords,
    example: 'winnow keys create --owner acme --scopes read,submit --expires 2027-06-30',
    flags: [...keysFlags, ...everywhere],
    run: keys,
  },
  {
    name: 'webhook-secret',
    words: '',
    summary: 'the secret by which an owner verifies its webhooks',
    example: 'winnow webhook-secret --owner acme',
    flags: ['owner', ...everywhere],
    run: webhookSecret,
  },
  {
    name: 'serve',
    words: '',
    summary: 'the server, as npm start runs it',
    example: 'winnow serve',
    flags: ['help'],
    run: () => Promise.reject(new Error('winnow serve is run by the program itself')),
  },
  {
    name: 'healthcheck',
    words: '',
    summary: 'whether the server of this environment is ready: exit 0 or 1',
    example: 'winnow healthcheck',
    flags: everywhere,
    run: healthcheck,
  },
  {
    name: 'completion',
    words: shellNames.join('|'),
    summary: 'what lets a shell complete commands and flags',
    firstWords: shellNames,
    example: 'winnow completion bash',
    flags: everywhere,
    run: (given, shell) => printCompletion(commands, given, shell),
  },
];
