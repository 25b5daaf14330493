/** Results in an uploaded file of batch results, line by line. */

import { type ParsedResult, parseResults, type ResultSource } from '../../app/parse-results.ts';
import type { Builder } from '../../db/driver/client.ts';
import { findRows } from '../../db/file-rows.ts';
import type { FileRecord } from '../../db/files.ts';
import { answerSchemaParam } from '../../operations/given-answer.ts';
import { builder, notFound } from './builder.ts';
import { presentIssues } from './errors.ts';
import { findFile } from './file.ts';
import { ItemStatusEnum } from './item.ts';
import { rejectedAnswerDescription } from './item-result.ts';
import {
  defaultPageSize,
  filterCost,
  maxPageSizeText,
  pageArgOptions,
  pageCost,
  readPage,
} from './page.ts';
import { schemaCost } from './schema-cost.ts';

const ParsedResultType = builder.objectRef<ParsedResult>('ParsedResult').implement({
  description: 'One line of a file of batch results: a request and its outcome.',
  fields: (t) => ({
    customId: t.exposeString('customId', {
      description: 'Custom id of the request. A file may have several results for one custom id.',
    }),
    status: t.expose('status', {
      type: ItemStatusEnum,
      description:
        'SUCCEEDED with an output, FAILED with an error, EXPIRED or CANCELLED as the provider says.',
    }),
    output: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'With responseSchema: the object in the text of the answer, or in the arguments of its one tool call. Without a schema: the text, or the arguments of a tool call, or a list of the arguments of several calls. Arguments that are not JSON stay text. Null unless SUCCEEDED.',
      resolve: ({ output }) => output,
    }),
    error: t.expose('error', {
      type: 'ItemError',
      nullable: true,
      description:
        "Reason for the failure: the provider's error, the end of the answer (TRUNCATED, REFUSED, CONTENT_FILTERED), or the break of the schema (INVALID_OUTPUT). Null unless FAILED.",
    }),
    rejectedAnswer: t.exposeString('rejectedAnswer', {
      nullable: true,
      description: rejectedAnswerDescription,
    }),
  }),
});

interface ResultConnection {
  edges: { node: ParsedResult; cursor: string }[];
  pageInfo: object;
  file: FileRecord;
  source: ResultSource;
  status: readonly string[] | null;
}

const ParsedResultEdge = builder
  .objectRef<ResultConnection['edges'][number]>('ParsedResultEdge')
  .implement({
    description: 'A result with its cursor.',
    fields: (t) => ({
      node: t.expose('node', { type: ParsedResultType, description: 'The result itself.' }),
      cursor: t.exposeString('cursor', {
        description: 'Cursor of the result, for the argument after.',
      }),
    }),
  });

const ParsedResultConnection = builder
  .objectRef<ResultConnection>('ParsedResultConnection')
  .implement({
    description: 'A page of results.',
    fields: (t) => ({
      edges: t.expose('edges', {
        type: [ParsedResultEdge],
        description: 'Results of the page, in the order of the lines of the file.',
        // The connection has the page's size as its multiplier already.
        complexity: { field: 1, multiplier: 1 },
      }),
      pageInfo: t.field({
        type: builder.pageInfoRef(),
        description: 'Position of the page in the whole list.',
        resolve: ({ pageInfo }) => pageInfo as never,
      }),
      totalCount: t.int({
        description:
          'Number of results that match the filter, over all pages. With a filter, the whole file is parsed once for each schema.',
        resolve: async ({ file, source, status }, _args, { db, signal, time, resultCounter }) => {
          if (status === null) return file.itemCount;
          const counts = await resultCounter.count(db.sql, source, { signal, time });
          return [...counts].reduce((sum, [one, n]) => (status.includes(one) ? sum + n : sum), 0);
        },
      }),
    }),
  });

builder.queryField('parseResults', (t) =>
  t.field({
    type: ParsedResultConnection,
    description:
      'Results of an uploaded OpenAI batch output or error file, or of Anthropic result lines. Answers are parsed and validated against the schema, without a model. The first choice of each answer counts. NOT_FOUND for an unknown file, BAD_USER_INPUT for a file of another format.',
    complexity: ({ first, status, responseSchema }) => ({
      field: (status ? filterCost : 1) + schemaCost({ responseSchema }),
      multiplier: pageCost({ first }).multiplier,
    }),
    args: {
      fileId: t.arg.id({ required: true, description: 'Id of a file of format OPENAI_RESULTS.' }),
      responseSchema: t.arg({
        type: 'JSONObject',
        description:
          'Schema of the answers: the short form {company: "string", year: "integer"}, or a JSON Schema of an object. At most 100,000 characters. Absent: any answer is valid.',
        validate: { schema: answerSchemaParam.nullish() as never },
      }),
      status: t.arg({
        type: [ItemStatusEnum],
        description: 'Only results with one of these statuses. Absent: all. Empty list: none.',
      }),
      first: t.arg.int({
        description: `Number of results after \`after\`, 1 to ${maxPageSizeText}. Default ${defaultPageSize}.`,
        validate: pageArgOptions.firstArgOptions.validate,
      }),
      after: t.arg.string({
        description:
          'Return results after this cursor. Absent: from the start. A custom id that is not a number and that one result alone has serves as its cursor.',
        validate: pageArgOptions.afterArgOptions.validate,
      }),
    },
    resolve: async (_root, { fileId, responseSchema, status, first, after }, context) => {
      const file = await findFile(fileId, context);
      if (!file) throw notFound('file');
      if (file.format !== 'OPENAI_RESULTS') {
        const message = `must be a file of format OPENAI_RESULTS (lines {custom_id, response, error}), not ${file.format}. A file with such lines must be uploaded with format=OPENAI_RESULTS`;
        throw presentIssues([{ path: 'fileId', message }]);
      }
      const source = { fileKey: file.key, schema: responseSchema ?? null };
      const connection = await readPage(
        { first, after },
        {
          toCursor: ({ index }: ParsedResult) => String(index),
          find: (customId) => findLine(context.db, file, customId),
        },
        async ({ limit, after: cursor }) => {
          const { db, signal, time, budget } = context;
          const afterIndex = cursor === undefined ? -1 : Number(cursor);
          const page: ParsedResult[] = [];
          if (status?.length === 0 || afterIndex >= file.itemCount) return page;
          for await (const result of parseResults(db.sql, source, { afterIndex, signal, time })) {
            if (!status || status.includes(result.status)) {
              // The one beyond the page only tells that there is more.
              if (page.length < limit - 1) budget.send(result.bytes, cursorOfLast(page, cursor));
              page.push(result);
            }
            if (page.length === limit) break;
          }
          return page;
        },
      );
      return { ...connection, file, source, status: status ?? null } as ResultConnection;
    },
  }),
);

/** Behind which to go on; null for the start of the file. */
function cursorOfLast(page: readonly ParsedResult[], after: string | undefined): string | null {
  const last = page.at(-1);
  return last ? String(last.index) : (after ?? null);
}

/** Cursor of the only result with a custom id. Null without such a result. */
async function findLine(db: Builder, file: FileRecord, customId: string): Promise<string | null> {
  const [index, another] = await findRows(db, file.key, { customId, limit: 2 });
  if (another !== undefined) {
    const message =
      'must name one result; several results have this custom id. Use the cursor of one of them';
    throw presentIssues([{ path: 'after', message }]);
  }
  return index === undefined ? null : String(index);
}
