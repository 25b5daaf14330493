/** Links to a batch's output, for those who can send no Authorization header. */
import { z } from 'zod';
import { answerFilterOf } from '../../app/answer-filter.ts';
import { toDelimiter } from '../../files/write/cells.ts';
import type { OutputFormat } from '../../files/write/output.ts';
import { linkMinutes } from '../http/signed-link.ts';
import { confidenceBelowArg, confidenceFromArg, labelsArg } from './answer-args.ts';
import { builder } from './builder.ts';
import { presentIssues } from './errors.ts';
import { ItemStatusEnum } from './item.ts';

const OutputFormatEnum = builder.enumType('OutputFormat', {
  description: 'Format of GET /batches/{id}/output.',
  values: {
    JSON: { value: 'json', description: 'One array of records.' },
    JSONL: { value: 'jsonl', description: 'One record per line.' },
    CSV: {
      value: 'csv',
      description:
        'Columns of the input, then of the answers, then status, error_code and error_message. Formulas are made harmless.',
    },
    OPENAI_JSONL: {
      value: 'openai_jsonl',
      description:
        'OpenAI batch output and error lines, whichever provider answered. Only finished items.',
    },
    ANTHROPIC_JSONL: {
      value: 'anthropic_jsonl',
      description:
        'Anthropic result lines {custom_id, result}, whichever provider answered. Only finished items.',
    },
  } as const satisfies Record<string, { value: OutputFormat; description: string }>,
});

builder.objectField('Batch', 'outputUrl', (t) =>
  t.string({
    description: `A signed link to GET /batches/{id}/output, valid for ${linkMinutes} minutes. Anyone with the link can read these items without a key, so keep the link secret. The link begins with PUBLIC_URL, else with the address of the request. To resume a download, add &after= and your last index.`,
    args: {
      format: t.arg({
        type: OutputFormatEnum,
        required: true,
        defaultValue: 'jsonl',
        description: 'Format of the output.',
      }),
      status: t.arg({
        type: [ItemStatusEnum],
        description: 'Only items with one of these statuses. Absent: all.',
        validate: {
          schema: z
            .array(z.string())
            .min(1, 'must have at least one status; leave status out for all')
            .nullish() as never,
        },
      }),
      labels: t.arg.stringList(labelsArg),
      confidenceBelow: t.arg.float(confidenceBelowArg),
      confidenceFrom: t.arg.float(confidenceFromArg),
      includeInput: t.arg.boolean({
        defaultValue: false,
        description: 'JSON and JSONL: include content and metadata. CSV always has the input.',
      }),
      includeRow: t.arg.boolean({
        defaultValue: false,
        description:
          'CSV: include a column `row` with the number of each row in the file. JSON and JSONL always have the number.',
      }),
      bom: t.arg.boolean({
        defaultValue: false,
        description:
          'CSV: begin with a byte order mark, without which Excel shows letters beyond ASCII wrongly.',
      }),
      delimiter: t.arg.string({
        description:
          'CSV: delimiter of the cells, one of , ; | and tab. Absent: a comma. Excel expects ; where decimals have a comma.',
        validate: {
          schema: z
            .string()
            .refine((text) => toDelimiter(text) !== null, 'must be one of , ; | and tab')
            .nullish() as never,
        },
      }),
    },
    resolve: (batch, args, { links, baseUrl }) => {
      const { format, status, includeInput, includeRow, bom } = args;
      // A link that the route would refuse is refused here.
      answerFilterOf(batch, args, 'labels');
      const delimiter = args.delimiter ? toDelimiter(args.delimiter) : ',';
      const issues = [
        ...(bom && format !== 'csv' ? ['bom'] : []),
        ...(delimiter !== ',' && format !== 'csv' ? ['delimiter'] : []),
      ].map((path) => ({ path, message: 'must be absent unless format is CSV' }));
      if (issues.length > 0) throw presentIssues(issues);
      return (
        baseUrl +
        links.toOutput({
          batchId: batch.id,
          format,
          status: status ? [...new Set(status)] : undefined,
          labels: args.labels ?? undefined,
          confidenceBelow: args.confidenceBelow ?? undefined,
          confidenceFrom: args.confidenceFrom ?? undefined,
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
