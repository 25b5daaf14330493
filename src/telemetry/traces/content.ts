/** Prompts and answers on spans, where the operator has asked for them. */
import type { Attributes } from '@opentelemetry/api';
import type { AnsweredModel, AskedModel } from '../events.ts';

/** A span with a book on it would be refused, and its neighbours with it. */
const maxCharacters = 16_384;
const maxMessages = 32;

interface Message {
  role: string;
  parts: { type: 'text'; content: string }[];
}

/** https://github.com/open-telemetry/semantic-conventions-genai: JSON, as attributes hold text. */
export function contentOf(request: AskedModel | null, answer: AnsweredModel | null): Attributes {
  const asked = request === null ? [] : messagesOf(request);
  const system = asked.filter(({ role }) => role === 'system').flatMap(({ parts }) => parts);
  const others = asked.filter(({ role }) => role !== 'system');
  return {
    ...(system.length > 0 ? { 'gen_ai.system_instructions': JSON.stringify(system) } : {}),
    ...(others.length > 0 ? { 'gen_ai.input.messages': JSON.stringify(others) } : {}),
    ...(answer?.text === undefined
      ? {}
      : { 'gen_ai.output.messages': JSON.stringify([messageOf('assistant', answer.text)]) }),
  };
}

/** The last ones: they hold the question. */
function messagesOf({ messages, body }: AskedModel): Message[] {
  const given = messages ?? (Array.isArray(body?.messages) ? (body.messages as unknown[]) : []);
  const own = given.slice(-maxMessages).map((message) => {
    const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
    return messageOf(String(role ?? 'user'), textOf(content));
  });
  return body?.system === undefined ? own : [messageOf('system', textOf(body.system)), ...own];
}

function messageOf(role: string, content: string): Message {
  return { role, parts: [{ type: 'text', content: content.slice(0, maxCharacters) }] };
}

/** Pictures and the like as JSON. */
function textOf(content: unknown): string {
  return typeof content === 'string' ? content : (JSON.stringify(content) ?? '');
}
