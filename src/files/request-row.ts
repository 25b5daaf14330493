/** Rows that are complete requests: where the request stands, and whose API it is for. */

import { isRecord, type JsonRecord, recordsOf, toRecord } from '../core/json.ts';
import type { Dialect } from '../model/request.ts';
import { isChatUrl } from './chat-url.ts';

export interface RowRequest {
  request: JsonRecord;
  dialect: Dialect;
}

/**
 * The request of a line of a provider's batch file: OpenAI's `body`, Anthropic's `params`.
 * `request` is null without one, or its url is not one for chat; `content` is the text of
 * its last user message all the same.
 */
export function readLine(
  line: unknown,
): { content: string } & (RowRequest | { request: null; dialect?: undefined }) {
  const { body, params, url } = toRecord(line);
  const isAnthropic = !isRecord(body) && isRecord(params);
  const request = isAnthropic ? params : isRecord(body) ? body : null;
  const content = lastUserText(request);
  const isChat = typeof url !== 'string' || isChatUrl(url);
  if (request === null || !isChat) return { content, request: null };
  return { content, request, dialect: isAnthropic ? 'anthropic' : 'openai' };
}

/** True where plain JSON rows with these columns may be requests; `body` alone is not a sign. */
export function mayBeRequests(columns: readonly string[]): boolean {
  const has = (name: string) => columns.includes(name);
  return has('messages') || has('request') || (has('custom_id') && (has('body') || has('params')));
}

/**
 * The request of a row of plain JSON: the row itself where it has messages; else what it has as
 * `request`, as an output with requests does, or as a line of a batch file does. Null where there
 * is none; `idField` and custom_id are no part of it.
 */
export function readBareRow(parsed: unknown, idField: string | null): RowRequest | null {
  const row = toRecord(parsed);
  const isBody = Array.isArray(row.messages);
  const given = [isBody ? row : row.request, row.body, row.params].find(hasMessages);
  if (!given) return null;
  if (!isBody && given === row.body) return { request: given, dialect: 'openai' };
  if (!isBody && given === row.params) return { request: given, dialect: 'anthropic' };
  const members = Object.entries(given);
  const request = Object.fromEntries(
    members.filter(([name]) => name !== idField && name !== 'custom_id'),
  );
  return { request, dialect: dialectOf(request) };
}

/**
 * Whose API a body is written for that does not say so: Anthropic's where it has something that
 * OpenAI's has not. A body without any such thing means the same to both.
 */
export function dialectOf(request: Readonly<JsonRecord>): Dialect {
  const { system, stop_sequences, output_config, thinking, tools, tool_choice, messages } = request;
  const { type: choice } = toRecord(tool_choice);
  const { type: thought, budget_tokens } = toRecord(thinking);
  const isAnthropic =
    typeof system === 'string' ||
    Array.isArray(system) ||
    Array.isArray(stop_sequences) ||
    isRecord(output_config) ||
    // Others have `thinking` too, without these.
    thought === 'adaptive' ||
    typeof budget_tokens === 'number' ||
    (typeof choice === 'string' && anthropicChoices.has(choice)) ||
    recordsOf(tools).some(isAnthropicTool) ||
    recordsOf(messages).some(({ content }) => recordsOf(content).some(isAnthropicBlock));
  return isAnthropic ? 'anthropic' : 'openai';
}

/** OpenAI writes these as a text, and has `function`, `custom` and `allowed_tools` as types. */
const anthropicChoices: ReadonlySet<string> = new Set(['auto', 'any', 'tool', 'none']);

const anthropicBlocks: ReadonlySet<unknown> = new Set([
  'tool_use',
  'tool_result',
  'thinking',
  'redacted_thinking',
  'document',
  'search_result',
  'server_tool_use',
  'web_search_tool_result',
  'web_fetch_tool_result',
  'mcp_tool_use',
  'mcp_tool_result',
  'container_upload',
]);

/** One with a name of its own: OpenAI's have it inside `function` or `custom`. */
function isAnthropicTool({ name, input_schema, type }: JsonRecord): boolean {
  return isRecord(input_schema) || (typeof name === 'string' && type !== 'function');
}

function isAnthropicBlock({ type, source }: JsonRecord): boolean {
  return anthropicBlocks.has(type) || (type === 'image' && isRecord(source));
}

/** The text of the last user message of a request; empty without one. */
function lastUserText(request: JsonRecord | null): string {
  const { messages, input } = request ?? {};
  const turns = Array.isArray(messages) ? messages : Array.isArray(input) ? input : [];
  for (const message of turns.toReversed()) {
    const { role, content } = toRecord(message);
    if (role === 'user') return textOf(content);
  }
  return typeof input === 'string' ? input : '';
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return recordsOf(content)
    .map(({ text }) => text)
    .filter((text) => typeof text === 'string')
    .join('\n');
}

function hasMessages(value: unknown): value is JsonRecord {
  return isRecord(value) && Array.isArray(value.messages);
}
