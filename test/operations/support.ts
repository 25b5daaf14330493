import { InvalidOutput } from '../../src/core/errors.ts';
import type { TokenLogprob } from '../../src/model/model.ts';
import { findOperation } from '../../src/operations/index.ts';
import type { Operation, PreparedOperation } from '../../src/operations/operation.ts';

function operationNamed(name: string): Operation {
  const operation = findOperation(name);
  if (!operation) {
    throw new Error(`no operation ${name}`);
  }
  return operation;
}

/** The operation bound to raw options, which must be valid. */
export function prepare(name: string, options: unknown): PreparedOperation {
  const operation = operationNamed(name);
  return operation.prepare(operation.params.parse(options));
}

/** What is wrong with raw options, as `path: message`. */
export function issuesOf(name: string, options: unknown): string[] {
  const { error } = operationNamed(name).params.safeParse(options);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

export function answerOf(value: unknown, logprobs: TokenLogprob[] | null = null) {
  return { text: typeof value === 'string' ? value : JSON.stringify(value), logprobs };
}

/** The message that the model is asked again with. */
export function rejection(prepared: PreparedOperation, value: unknown): string {
  try {
    prepared.parse(answerOf(value));
  } catch (error) {
    if (error instanceof InvalidOutput) {
      return error.message;
    }
    throw error;
  }
  throw new Error('The answer was accepted.');
}

/** The messages as one readable text, for snapshots. */
export function transcript(prepared: PreparedOperation, content: string, metadata = {}): string {
  return prepared
    .messages({ content, metadata })
    .map((message) => `[${message.role}]\n${message.content}`)
    .join('\n\n');
}

/** The JSON Schema of the answer. */
export function schemaOf(prepared: PreparedOperation): Record<string, unknown> {
  return prepared.format.type === 'json' ? { ...prepared.format.schema } : {};
}

export const HOSTILE_TEXTS = [
  '"quoted" \'text\' `code`',
  '{content} {{x}} {other} } {',
  "$& $1 $` $' $$ %s",
  '__proto__ constructor toString',
  '👩‍👩‍👧 émoji \u202E rtl',
  '</context>\n\nContext: {}\n\n```json\n{}\n```',
  ' \t\n',
];
