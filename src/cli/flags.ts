/** All flags of all commands, and how a command line is read. */
import { parseArgs } from 'node:util';
import { nearest } from '../core/nearest.ts';
import { WrongUse } from './failure.ts';

const onOff = ['on', 'off'] as const;

interface Flag {
  /** The word for its value in a help text. Null for a switch. */
  value: string | null;
  short?: string;
  help: string;
  /** The only values. */
  choices?: readonly string[];
}

const operations = {
  categories: { value: 'A,B|@FILE', help: 'categories, or a JSON file of them (@file.json)' },
  multi: { value: null, help: 'every category that applies, or none' },
  examples: { value: '@FILE', help: 'texts with their labels: a CSV file' },
  schema: { value: 'JSON|@FILE', help: 'form of the answer: {"year": "integer"} or a JSON Schema' },
  instructions: { value: 'TEXT|@FILE', help: 'what to do, in words' },
  fields: { value: 'A,B|@FILE', help: 'fields to fill in, or a JSON file of them (@file.json)' },
  column: { value: 'NAME', help: 'column that has the text' },
  id: { value: 'NAME', help: 'column that has the custom id' },
  model: { value: 'MODEL', help: 'provider/name; absent: the default model of the server' },
  models: { value: 'A,B', help: 'models to compare, up to 10' },
  system: { value: 'TEXT|@FILE', help: 'system prompt instead of the built-in one' },
  template: { value: 'TEXT|@FILE', help: 'user message with {content} and {column}' },
  temperature: { value: 'N', help: 'randomness of the answer, 0 to 2' },
  'max-tokens': { value: 'N', help: 'tokens of one answer at most' },
  options: { value: 'JSON|@FILE', help: 'further options, by their names in GraphQL' },
  'batch-api': { value: null, help: 'the batch API of the provider, at half the price' },
  rescue: { value: null, help: 'with --batch-api: what it leaves undone is called live' },
  'max-cost': { value: 'USD', help: 'the most that the batch may cost; it is paused before that' },
  preview: { value: 'N', help: 'answers N rows (10 to 1000), then pauses; exit code 6' },
  deduplicate: {
    value: 'on|off',
    help: 'asks identical rows once; absent: on, for run and chat off',
    choices: onOff,
  },
  'prompt-caching': {
    value: 'on|off',
    help: 'the prompt cache of the provider; absent: where that pays',
    choices: onOff,
  },
  expires: { value: 'SECONDS|DAY', help: 'when unfinished rows expire; the day a key ends' },
  webhook: { value: 'URL', help: 'address that is called when the batch ends' },
  metadata: { value: 'JSON|@FILE', help: 'object that is stored with the batch' },
  name: { value: 'NAME', help: 'name of the batch or key; absent: that of the file, or the day' },
  sample: { value: 'N', help: 'answers N rows now (at most 50) and makes no batch' },
  detach: { value: null, help: 'prints the id of the batch and ends' },
  new: { value: null, help: 'another batch, also where there is one of the same' },
  'allow-failures': { value: null, help: 'exit code 0 although rows failed' },
} as const satisfies Record<string, Flag>;

const formats = ['csv', 'json', 'jsonl', 'openai', 'anthropic'] as const;
const batchStatuses = [
  'draft',
  'queued',
  'processing',
  'paused',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
  'expired',
] as const;

const others = {
  output: { value: 'FILE', short: 'o', help: 'where the answers go' },
  format: { value: 'FORMAT', help: formats.join(', '), choices: formats },
  status: { value: 'STATUS', help: 'only those with this status; several with commas' },
  label: { value: 'LABEL', help: 'only those with this label; several by several --label' },
  'confidence-below': { value: 'N', help: 'only answers less sure than this, 0 to 1' },
  'confidence-from': { value: 'N', help: 'only answers as sure as this or surer, 0 to 1' },
  include: { value: 'PARTS', help: 'input, request, row; several with commas' },
  owner: { value: 'NAME', help: 'whose key, or keys' },
  scopes: { value: 'A,B', help: 'what the key may do: read, submit, admin; absent: read,submit' },
  limit: { value: 'N', help: 'how many; 20 where absent' },
  watch: { value: null, help: 'until the end of the batch' },
  yes: { value: null, short: 'y', help: 'does not ask' },
  json: { value: null, help: 'one JSON object on standard output and nothing else' },
  quiet: { value: null, short: 'q', help: 'no progress' },
  url: { value: 'URL', help: 'where the server is; absent: WINNOW_URL, else 127.0.0.1:4000' },
  local: { value: null, help: 'a server of its own for this run' },
  help: { value: null, short: 'h', help: 'this text' },
  version: { value: null, help: 'the version' },
} as const satisfies Record<string, Flag>;

const flags = { ...operations, ...others };
export type FlagName = keyof typeof flags;
export { batchStatuses, formats };

function isFlag(name: string): name is FlagName {
  return Object.hasOwn(flags, name);
}

/** The facts of a flag in one form. */
export function flagOf(name: FlagName): Flag {
  return flags[name];
}

/** A command line that was read. */
export interface Given {
  /** Arguments without a dash, the name of the command first. */
  words: readonly string[];
  /** Value of a flag, the last one where it is given several times. Undefined without it. */
  text(name: FlagName): string | undefined;
  /** Its values, in their order. */
  texts(name: FlagName): readonly string[];
  has(name: FlagName): boolean;
}

/** Throws WrongUse for an unknown flag, and for one without its value. */
export function readArguments(args: readonly string[], known: readonly FlagName[]): Given {
  const values = new Map<FlagName, string[]>();
  for (const token of tokensOf(args)) {
    if (token.kind !== 'option') continue;
    const { name, rawName } = token;
    if (!isFlag(name) || !known.includes(name)) throw unknownFlag(rawName, known);
    const value = checked(name, token.value, token.inlineValue);
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return {
    words: wordsOf(args),
    text: (name) => values.get(name)?.at(-1),
    texts: (name) => values.get(name) ?? [],
    has: (name) => values.has(name),
  };
}

/** Arguments without a dash that belong to no flag. */
export function wordsOf(args: readonly string[]): string[] {
  return tokensOf(args).flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
}

function tokensOf(args: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, flag]: [string, Flag]) => [
      name,
      {
        type: flag.value === null ? ('boolean' as const) : ('string' as const),
        ...(flag.short ? { short: flag.short } : {}),
      },
    ]),
  );
  return parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}

function checked(name: FlagName, value: string | undefined, isInline: boolean | undefined): string {
  const { value: stands, choices } = flagOf(name);
  if (stands === null) {
    if (value !== undefined) throw new WrongUse(`--${name} takes no value`);
    return '';
  }
  // A number may be negative. Another flag is not a value.
  if (value === undefined || value === '' || (!isInline && /^-+[a-z]/.test(value))) {
    throw new WrongUse(`--${name} must have a value: --${name} ${stands}`);
  }
  if (choices && !choices.includes(value)) {
    throw new WrongUse(`--${name} must be one of ${choices.join(', ')}, not ${value}`);
  }
  return value;
}

function unknownFlag(written: string, known: readonly FlagName[]): WrongUse {
  const near = nearest(written.replace(/^-+/, ''), known);
  return new WrongUse(`Unknown flag ${written}${near ? `. Did you mean --${near}?` : ''}`);
}

/** The setting that a flag turns on or off. Undefined where it is not given. */
export function onOffOf(given: Given, name: FlagName): boolean | undefined {
  const text = given.text(name);
  return text === undefined ? undefined : text === 'on';
}

/** A number of a flag. Throws WrongUse outside of min and max; `isAbove` leaves min out. */
export function numberOf(
  given: Given,
  name: FlagName,
  {
    min,
    max,
    whole = true,
    isAbove = false,
  }: { min: number; max: number; whole?: boolean; isAbove?: boolean },
): number | undefined {
  const text = given.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  const isIn = value <= max && (isAbove ? value > min : value >= min);
  if (!isIn || (whole && !Number.isInteger(value))) {
    const kind = whole ? 'a whole number' : 'a number';
    const range = isAbove ? `above ${min} and at most ${max}` : `from ${min} to ${max}`;
    throw new WrongUse(`--${name} must be ${kind} ${range}, not ${text}`);
  }
  return value;
}

/** Values with commas between them, each one of `known`. Throws WrongUse. */
export function listOf<Value extends string>(
  given: Given,
  name: FlagName,
  known: readonly Value[],
): Value[] | undefined {
  const values = given.text(name)?.toLowerCase().split(',');
  return values?.map((value) => {
    const word = value.trim();
    const found = known.find((one) => one === word);
    if (found) return found;
    const instead = word === '' ? 'without an empty one' : `not ${value}`;
    throw new WrongUse(`--${name} must be of ${known.join(', ')}, ${instead}`);
  });
}
