import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface Options {
  help: boolean;
  exit: boolean;
  yes: boolean;
  sandbox: boolean;
  /** Null: all questions. */
  items: number | null;
  directory: string;
}

export const help = `Labels 3,080 bank questions with 77 categories: a Winnow of its own, used through its public API.

  npm run demo                        labels them all, then stays up until Ctrl-C
  npm run demo -- --exit              ends after the report

Options
  --items N     only N of the questions, spread evenly over the categories
  --sandbox     the built-in rules, even where a model is configured; sends nothing anywhere
  --yes         does not ask before it sends requests to a model
  --exit        ends after the report
  --data DIR    where database and results lie (default .data-demo)
  --help        this text

The model is the one that npm start would take from the environment or from .env: OPENAI_API_KEY,
OPENAI_BASE_URL, ANTHROPIC_API_KEY, PROVIDERS, DEFAULT_MODEL. Without any it is the sandbox: rules,
not a language model.
`;

/** Throws an Error that says which argument is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      exit: { type: 'boolean', default: false },
      yes: { type: 'boolean', short: 'y', default: false },
      sandbox: { type: 'boolean', default: false },
      items: { type: 'string' },
      data: { type: 'string', default: '.data-demo' },
    },
  });
  const { help, exit, yes, sandbox, items, data } = values;
  if (items !== undefined && !/^[1-9][0-9]{0,5}$/.test(items)) {
    throw new Error(`--items takes a number from 1 on, not ${JSON.stringify(items)}.`);
  }
  if (data === '') throw new Error('--data takes a folder.');
  return {
    help,
    exit,
    yes,
    sandbox,
    items: items === undefined ? null : Number(items),
    directory: resolve(data),
  };
}
