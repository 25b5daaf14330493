/**
 * The messages of a chat completion as the turns of Anthropic's
 * (https://platform.claude.com/docs/en/api/messages/create). Pure. A part that Anthropic has
 * nothing for goes on as it is, so that the refusal names it.
 */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import { textParts } from './chat-parts.ts';
import { inputOf } from './completion.ts';

/** The system messages and `words` behind them: a text, or blocks where there is more than text. */
export function systemOf(messages: readonly JsonRecord[], words: string): unknown {
  const blocks = messages.flatMap(({ content }) =>
    Array.isArray(content) ? joined(content.map(toBlock)) : [toBlock(content ?? '')],
  );
  const said = [...blocks, { type: 'text', text: words }].filter(
    (block) => !isText(block) || block.text !== '',
  );
  return said.every(isText) ? said.map(({ text }) => text).join('\n\n') : said;
}

/** The lines of one message are one text. */
function joined(blocks: readonly unknown[]): unknown[] {
  return blocks.every(isText)
    ? [{ type: 'text', text: blocks.map(({ text }) => text).join('\n') }]
    : [...blocks];
}

function isText(block: unknown): block is { type: 'text'; text: string } {
  return isRecord(block) && block.type === 'text' && typeof block.text === 'string';
}

/** Tool results in a row are one user message, as Anthropic demands of calls made together. */
export function toTurns(messages: readonly unknown[]): unknown[] {
  const made: unknown[] = [];
  let results: JsonRecord[] | null = null;
  for (const message of messages) {
    if (isRecord(message) && (message.role === 'tool' || message.role === 'function')) {
      if (!results) {
        results = [];
        made.push({ role: 'user', content: results });
      }
      results.push(toToolResult(message));
      continue;
    }
    results = null;
    made.push(...toTurn(message));
  }
  return made;
}

function toTurn(message: unknown): unknown[] {
  if (!isRecord(message)) return [message];
  const { role, content } = message;
  if (role !== 'assistant') {
    return [{ role, content: Array.isArray(content) ? content.map(toBlock) : content }];
  }
  const said = toAssistantContent(message);
  // A turn without a word is refused there.
  return said === '' || said == null ? [] : [{ role, content: said }];
}

function toToolResult({ tool_call_id, name, content }: JsonRecord): JsonRecord {
  return {
    type: 'tool_result',
    tool_use_id: tool_call_id ?? name,
    content: Array.isArray(content) ? content.map(toBlock) : (content ?? ''),
  };
}

/** Audio that the model spoke is a part of its own, which Anthropic refuses by its name. */
function toAssistantContent(message: JsonRecord): unknown {
  const { content, refusal, tool_calls, function_call, audio } = message;
  const calls: unknown[] = Array.isArray(tool_calls) ? [...tool_calls] : [];
  if (isRecord(function_call)) calls.push({ id: function_call.name, function: function_call });
  const spoken = isRecord(audio) ? [{ type: 'audio', audio }] : [];
  const behind = [...textParts(refusal), ...spoken, ...calls.map(toToolUse)];
  if (behind.length === 0) return Array.isArray(content) ? content.map(toBlock) : content;
  return [...(Array.isArray(content) ? content.map(toBlock) : textParts(content)), ...behind];
}

/** A call of a tool that takes no JSON has nothing like it there. */
function toToolUse(call: unknown): unknown {
  if (!isRecord(call) || !isRecord(call.function)) return call;
  const { name, arguments: given } = call.function;
  return { type: 'tool_use', id: call.id ?? name, name, input: inputOf(given) };
}

function toBlock(part: unknown): unknown {
  if (typeof part === 'string') return { type: 'text', text: part };
  if (!isRecord(part)) return part;
  switch (part.type) {
    case 'image_url': {
      const { url } = isRecord(part.image_url) ? part.image_url : { url: part.image_url };
      return { type: 'image', source: toSource(url) };
    }
    case 'file': {
      const { file_data, filename } = isRecord(part.file) ? part.file : {};
      if (typeof file_data !== 'string') return part;
      const title = typeof filename === 'string' ? { title: filename } : undefined;
      return { type: 'document', source: toDocumentSource(file_data), ...title };
    }
    case 'refusal':
      return { type: 'text', text: part.refusal };
    default:
      return part;
  }
}

/** A file for Anthropic, which takes PDF as bytes, and text as text. */
function toDocumentSource(url: string): JsonRecord {
  const source = toSource(url);
  const { media_type: type, data } = source;
  if (typeof type !== 'string' || !type.startsWith('text/')) return source;
  const text = Buffer.from(String(data), 'base64').toString();
  return { type: 'text', media_type: 'text/plain', data: text };
}

function toSource(url: unknown): JsonRecord {
  const [, type, data] =
    typeof url === 'string' ? (/^data:([^;,]+)(?:;[^;,]+)*;base64,(.*)$/s.exec(url) ?? []) : [];
  return type ? { type: 'base64', media_type: type, data } : { type: 'url', url };
}
