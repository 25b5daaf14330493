/** Earlier batches of an owner as a guide to a model's tokens. */
import type { Sql } from '../../db/driver/client.ts';
import { readAnswerHistory, readBilledPrompts, readPreviewAnswers } from '../../db/quotes.ts';
import type { ModelHistory } from './quote.ts';

/**
 * `before`: the key of a batch that itself tells nothing. `previewOf`: the key of one whose preview
 * tells of its answers.
 */
export async function readHistory(
  sql: Sql,
  {
    previewOf = null,
    ...asked
  }: {
    owner: string;
    operation: string;
    optionsHash: Buffer;
    model: string;
    before: bigint | null;
    previewOf?: bigint | null;
  },
): Promise<ModelHistory> {
  const isChat = asked.operation === 'chat';
  const preview = previewOf === null ? null : await readPreviewAnswers(sql, previewOf);
  const [answers, billed] = await Promise.all([
    preview ?? readAnswerHistory(sql, asked),
    readBilledPrompts(sql, { ...asked, isChat }),
  ]);
  return {
    answers: answers && {
      ...answers,
      isOwn: answers.model === asked.model,
      isPreview: preview !== null,
    },
    billed,
  };
}
