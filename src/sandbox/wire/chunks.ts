/**
 * A completion word by word. Source:
 * https://platform.openai.com/docs/api-reference/chat-streaming.
 */
import type { Completion } from './completion.ts';
import { wordsOf } from './tokens.ts';

/** The events of the stream, as text. The last but one tells of usage, where that is asked for. */
export function streamCompletion(
  { choices, usage, ...frame }: Completion,
  { withUsage }: { withUsage: boolean },
): string[] {
  const [choice] = choices as [Completion['choices'][number]];
  const common = { ...frame, object: 'chat.completion.chunk' };
  const more = withUsage ? { usage: null } : {};
  const chunk = (delta: object, logprobs: object | null, finish_reason: string | null) =>
    write({ ...common, choices: [{ index: 0, delta, logprobs, finish_reason }], ...more });
  const isSaid = choice.message.content !== null;
  return [
    chunk({ role: 'assistant', content: isSaid ? '' : null, refusal: null }, null, null),
    ...deltasOf(choice).map(({ delta, logprobs }) => chunk(delta, logprobs, null)),
    chunk({}, null, choice.finish_reason),
    ...(withUsage ? [write({ ...common, choices: [], usage })] : []),
    'data: [DONE]\n\n',
  ];
}

interface Piece {
  delta: object;
  logprobs: object | null;
}

function deltasOf({ message, logprobs }: Completion['choices'][number]): Piece[] {
  if ('tool_calls' in message && message.tool_calls) {
    return message.tool_calls.flatMap(({ function: { name, arguments: text }, ...call }, index) => {
      const opened = { index, ...call, function: { name, arguments: '' } };
      const argued = wordsOf(text).map((piece) => ({ index, function: { arguments: piece } }));
      return [opened, ...argued].map((one) => ({ delta: { tool_calls: [one] }, logprobs: null }));
    });
  }
  if (message.refusal !== null) {
    return wordsOf(message.refusal).map((refusal) => ({ delta: { refusal }, logprobs: null }));
  }
  const tokens = [...(logprobs?.content ?? [])];
  return wordsOf(message.content ?? '').map((content) => {
    if (!logprobs) return { delta: { content }, logprobs: null };
    // No token is of two words.
    const own = [];
    for (let left = content.length; left > 0 && tokens.length > 0; ) {
      const token = tokens.shift() as (typeof tokens)[number];
      own.push(token);
      left -= token.token.length;
    }
    return { delta: { content }, logprobs: { content: own, refusal: null } };
  });
}

function write(chunk: object): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
