/**
 * A message word by word. Source:
 * https://platform.claude.com/docs/en/build-with-claude/streaming.
 */
import { wordsOf } from '../tokens.ts';
import type { Message } from './message-answerer.ts';

/** The events of the stream, as text. */
export function streamMessage({ content, stop_reason, stop_details, ...frame }: Message): string[] {
  const { usage, stop_sequence } = frame;
  const message = {
    ...frame,
    content: [],
    stop_reason: null,
    stop_details: null,
    usage: { ...usage, output_tokens: Math.min(1, usage.output_tokens) },
  };
  const delta = { stop_reason, stop_sequence, stop_details };
  const { output_tokens } = usage;
  return [
    event('message_start', { message }),
    ...content.flatMap(blockEvents),
    event('message_delta', { delta, usage: { output_tokens } }),
    event('message_stop', {}),
  ];
}

function blockEvents(block: Message['content'][number], index: number): string[] {
  const [opened, deltas] =
    'text' in block
      ? [{ ...block, text: '' }, wordsOf(block.text).map((text) => ({ type: 'text_delta', text }))]
      : [
          { ...block, input: {} },
          wordsOf(JSON.stringify(block.input)).map((partial_json) => ({
            type: 'input_json_delta',
            partial_json,
          })),
        ];
  return [
    event('content_block_start', { index, content_block: opened }),
    ...(index === 0 ? [event('ping', {})] : []),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ];
}

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}
