/** Links to a batch's output, for those who can send no Authorization header. */
import { z } from 'zod';
import { toDelimiter } from '../../files/write/cells.ts';
import type { OutputFormat } from '../../files/write/output.ts';
import { linkMinutes } from '../http/signed-link.ts';
import { builder } from './builder.ts';
import { presentIssues } from './errors.ts';
import { ItemStatusEnum } from './item.ts';

const OutputFormatEnum = builder.enumType('OutputFormat', {
  description: 'How GET /batches/{id}/output writes the items.',
  values: {
    JSON: { value: 'json', description: 'One array of records.' },
    JSONL: { value: 'jsonl', description: 'The same records, one a line.' },
    CSV: {
      value: 'csv',
      description:
        'The columns of the input, then those of the answers, status, error_code and error_message; formulas are defused.',
    },
    OPENAI_JSONL: {
      value: 'openai_jsonl',
      description:
        'OpenAI batch output and error lines, whichever provider answered; only of items that have ended.',
    },
    ANTHROPIC_JSONL: {
      value: 'anthropic_jsonl',
      description:
        'Anthropic’s lines of results, {custom_id, result}, whichever provider answered; only of items that have ended.',
    },
  } as const satisfies Record<string, { value: OutputFormat; description: string }>,
});

builder.objectField('Batch', 'outputUrl', (t) =>
  t.string({
    description: `A signed link, good for ${linkMinutes} minutes, to GET /batches/{id}/output: whoever has it reads these items without a key, so treat it as one. At PUBLIC_URL where the server has one, else at the address that it was asked by. A download that broke goes on with &after= and the last index it has.`,
    args: {
      format: t.arg({
        type: OutputFormatEnum,
        required: true,
        defaultValue: 'jsonl',
        description: 'How the items are written.',
      }),
      status: t.arg({
        type: [ItemStatusEnum],
        description: 'Only items that stand so; all when absent.',
        validate: {
          schema: z
            .array(z.string())
            .min(1, 'needs at least one status; leave it out for all')
            .nullish() as never,
        },
      }),
      includeInput: t.arg.boolean({
        defaultValue: false,
        description: 'JSON and JSONL: content and metadata too. CSV has the input anyway.',
      }),
      includeRow: t.arg.boolean({
        defaultValue: false,
        description:
          'CSV: a column `row` with the number of each row in the file. JSON and JSONL have it anyway.',
      }),
      bom: t.arg.boolean({
        defaultValue: false,
        description:
          'CSV: begins with a byte order mark, without which Excel shows letters beyond ASCII wrongly.',
      }),
      delimiter: t.arg.string({
        description:
          'CSV: what stands between cells, one of , ; | and tab; a comma when absent. Excel takes ; where decimals have a comma.',
        validate: {
          schema: z
            .string()
            .refine((text) => toDelimiter(text) !== null, 'is one of , ; | and tab')
            .nullish() as never,
        },
      }),
    },
    resolve: ({ id }, args, { links, baseUrl }) => {
      const { format, status, includeInput, includeRow, bom } = args;
      const delimiter = args.delimiter ? toDelimiter(args.delimiter) : ',';
      const issues = [
        ...(bom && format !== 'csv' ? ['bom'] : []),
        ...(delimiter !== ',' && format !== 'csv' ? ['delimiter'] : []),
      ].map((path) => ({ path, message: 'needs the format CSV' }));
      if (issues.length > 0) throw presentIssues(issues);
      return (
        baseUrl +
        links.toOutput({
          batchId: id,
          format,
          status: status ? [...new Set(status)] : undefined,
          includeInput: includeInput === true,
          includeRow: includeRow === true,
          bom: bom === true,
          ...(delimiter &&
            delimiter !== ',' && { delimiter: delimiter === '\t' ? 'tab' : delimiter }),
        })
      );
    },
  }),
);
