/** Formats of files in the words of the page. */
import type { graphql } from '../data/graphql.ts';

export type FileFormat = ReturnType<typeof graphql.scalar<'FileFormat'>>;

export const formats: Readonly<Record<FileFormat, string>> = {
  ANTHROPIC_JSONL: 'requests for Anthropic',
  CSV: 'CSV',
  JSON: 'JSON',
  JSONL: 'JSONL',
  OPENAI_JSONL: 'requests for OpenAI',
  OPENAI_RESULTS: 'results of OpenAI',
  TEXT: 'text',
};
