/** What earlier batches of an owner tell of what a model will take. */
import type { Sql } from '../../db/driver/client.ts';
import { readAnswerHistory, readBilledRatio } from '../../db/quotes.ts';
import type { ModelHistory } from './quote.ts';

/** `before`: the key of a batch that itself tells nothing. */
export async function readHistory(
  sql: Sql,
  asked: {
    owner: string;
    operation: string;
    optionsHash: Buffer;
    model: string;
    before: bigint | null;
  },
): Promise<ModelHistory> {
  const isChat = asked.operation === 'chat';
  const [answers, billedRatio] = await Promise.all([
    readAnswerHistory(sql, asked),
    readBilledRatio(sql, { ...asked, isChat }),
  ]);
  return {
    answers: answers && { ...answers, isOwn: answers.model === asked.model },
    billedRatio,
  };
}
