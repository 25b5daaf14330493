/** The parts of a request that become prompt tokens. Pure. */
import { isRecord, type JsonRecord, recordsOf } from '../../core/json.ts';
import type { Dialect } from '../../model/request.ts';
import { countedSchema, schemaFrameTokens } from '../run/prompt-frames.ts';

export interface PromptParts {
  /** Frames that the model puts around messages. */
  messages: number;
  /** The answer schema, the tools, and the messages, in their order. */
  texts: string[];
  /** Tokens that are neither in texts nor in frames. */
  extraTokens: number;
  /** Images and the like, whose tokens are not counted. */
  hasMedia: boolean;
}

/** Anthropic's words on tools where one must be called. */
const forcedToolTokens = 313;

/** The parts of a request body as it is sent. */
export function partsOf(body: Readonly<JsonRecord>, dialect: Dialect): PromptParts {
  const parts: PromptParts = { messages: 0, texts: [], extraTokens: 0, hasMedia: false };
  addFormat(parts, body, dialect);
  const { tools, system } = body;
  if (Array.isArray(tools) && tools.length > 0) {
    parts.texts.push(JSON.stringify(tools));
    if (dialect === 'anthropic') parts.extraTokens += forcedToolTokens;
  }
  if (dialect === 'anthropic' && system !== undefined) addMessage(parts, { content: system });
  for (const message of recordsOf(body.messages)) addMessage(parts, message);
  return parts;
}

/** The most tokens that a complete request allows an answer, or Infinity. */
export function answerLimit({
  max_completion_tokens: newer,
  max_tokens: older,
}: Readonly<JsonRecord>): number {
  const limit = newer ?? older;
  return typeof limit === 'number' && limit > 0 ? limit : Number.POSITIVE_INFINITY;
}

function addFormat(parts: PromptParts, body: Readonly<JsonRecord>, dialect: Dialect): void {
  const { response_format: format, output_config: config } = body;
  const held =
    dialect === 'anthropic' ? memberOf(config, 'format') : memberOf(format, 'json_schema');
  const schema = memberOf(held, 'schema');
  if (!isRecord(schema)) return;
  parts.texts.push(countedSchema(schema));
  parts.extraTokens += schemaFrameTokens;
}

function memberOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function addMessage(
  parts: PromptParts,
  { content, tool_calls: calls }: Readonly<JsonRecord>,
): void {
  parts.messages += 1;
  if (typeof content === 'string') parts.texts.push(content);
  for (const block of Array.isArray(content) ? content : []) addBlock(parts, block);
  if (Array.isArray(calls)) parts.texts.push(JSON.stringify(calls));
}

function addBlock(parts: PromptParts, block: unknown): void {
  if (!isRecord(block)) return;
  if (typeof block.text === 'string') parts.texts.push(block.text);
  else if (block.type === 'tool_use' || block.type === 'tool_result')
    parts.texts.push(JSON.stringify(block));
  else parts.hasMedia = true;
}
