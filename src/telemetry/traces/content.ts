/** Prompts and answers on spans, where the operator has asked for them. */
import type { Attributes } from '@opentelemetry/api';
import type { AnsweredModel, AskedModel } from '../events.ts';

/** Most characters of one message. */
const maxCharacters = 16_384;
/**
 * Most characters of a span: one with a book on it would be refused, and its neighbours with it.
 */
const maxSpanCharacters = 65_536;
const maxMessages = 32;
const maxRole = 40;

interface Message {
  role: string;
  parts: { type: 'text'; content: string }[];
}

/** The room that a span still has. */
interface Room {
  characters: number;
}

/** https://github.com/open-telemetry/semantic-conventions-genai: JSON, as attributes hold text. */
export function contentOf(request: AskedModel | null, answer: AnsweredModel | null): Attributes {
  const room = { characters: maxSpanCharacters };
  const answered =
    answer?.text === undefined ? [] : [messageOf({ role: 'assistant', text: answer.text }, room)];
  const asked = request === null ? [] : messagesOf(request, room);
  const system = asked.filter(({ role }) => role === 'system').flatMap(({ parts }) => parts);
  const others = asked.filter(({ role }) => role !== 'system');
  return {
    ...(system.length > 0 ? { 'gen_ai.system_instructions': JSON.stringify(system) } : {}),
    ...(others.length > 0 ? { 'gen_ai.input.messages': JSON.stringify(others) } : {}),
    ...(answered.length > 0 ? { 'gen_ai.output.messages': JSON.stringify(answered) } : {}),
  };
}

/** The last ones, as many as there is room for: they hold the question. */
function messagesOf({ messages, body }: AskedModel, room: Room): Message[] {
  const given = messages ?? (Array.isArray(body?.messages) ? (body.messages as unknown[]) : []);
  const system =
    body?.system === undefined
      ? []
      : [messageOf({ role: 'system', text: textOf(body.system) }, room)];
  const own: Message[] = [];
  for (const message of given.slice(-maxMessages).reverse()) {
    if (room.characters === 0) break;
    const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
    own.unshift(messageOf({ role: String(role ?? 'user'), text: textOf(content) }, room));
  }
  return [...system, ...own];
}

/** Takes its characters from the room. */
function messageOf({ role, text }: { role: string; text: string }, room: Room): Message {
  const content = text.slice(0, Math.min(maxCharacters, room.characters));
  room.characters -= content.length;
  return { role: role.slice(0, maxRole), parts: [{ type: 'text', content }] };
}

/** Pictures and the like as JSON. */
function textOf(content: unknown): string {
  return typeof content === 'string' ? content : (JSON.stringify(content) ?? '');
}
