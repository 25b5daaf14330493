/** A request for a message, checked like Anthropic and read as the chat that the rules answer. */
import type { IncomingHttpHeaders } from 'node:http';
import { isObject } from '../../rules/json-schema.ts';
import type { RuleMessage } from '../../rules/prompt.ts';
import { ApiError } from '../api-error.ts';
import type { ChatRequest, RequestRules } from '../chat-request.ts';
import { fieldRequired, invalid, wantsList, wantsObject, wantsString } from './invalid.ts';
import { checkParameters } from './parameters.ts';
import { outputSchemaFault } from './schema.ts';

const oldFormatBeta = 'structured-outputs-2025-11-13';
const keptSchemas = 64;

/** A reader that remembers, by their raw text, which schemas were good. */
export function createMessageReader({ models, refuse }: RequestRules) {
  const checked = new Map<string, string | null>();

  function faultOf(schema: unknown, text: string): string | null {
    const known = checked.get(text);
    if (known !== undefined) return known;
    const fault = outputSchemaFault(schema);
    if (checked.size >= keptSchemas) checked.delete(checked.keys().next().value as string);
    checked.set(text, fault);
    return fault;
  }

  function readFormat(
    { output_config: config, output_format: old }: Record<string, unknown>,
    headers: IncomingHttpHeaders,
  ): ChatRequest['format'] {
    const current = isObject(config) ? config.format : undefined;
    const stated = current ?? old;
    if (stated === undefined || stated === null) return { type: 'text' };
    const path = current ? 'output_config.format' : 'output_format';
    if (old && !String(headers['anthropic-beta'] ?? '').includes(oldFormatBeta))
      throw invalid('output_format', 'Extra inputs are not permitted');
    if (old && current) throw invalid('output_format', 'is deprecated: use output_config.format');
    if (!isObject(stated)) throw invalid(path, wantsObject);
    if (stated.type !== 'json_schema')
      throw invalid(`${path}.type`, "Input should be 'json_schema'");
    if (refuse.has('json_schema')) throw invalid(path, 'is not supported by this model');
    if (!isObject(stated.schema))
      throw invalid(`${path}.schema`, stated.schema === undefined ? fieldRequired : wantsObject);
    const schemaText = JSON.stringify(stated.schema);
    const fault = faultOf(stated.schema, schemaText);
    if (fault) throw invalid(`${path}.schema`, fault);
    return { type: 'json', schema: stated.schema, schemaText };
  }

  return (body: unknown, headers: IncomingHttpHeaders): ChatRequest => {
    if (!isObject(body)) throw invalid('body', wantsObject);
    const { model, messages, max_tokens: maxTokens } = body;
    for (const name of ['model', 'max_tokens', 'messages'])
      if (body[name] === undefined || body[name] === null) throw invalid(name, fieldRequired);
    if (typeof model !== 'string') throw invalid('model', wantsString);
    if (!models.includes(model)) throw new ApiError(`model: ${model}`, { status: 404 });
    checkParameters(body, refuse);
    return {
      model,
      messages: [...readSystem(body.system), ...readMessages(messages)],
      format: readFormat(body, headers),
      call: readCall(body),
      maxTokens: maxTokens as number,
      topLogprobs: null,
      stream: body.stream === true ? { withUsage: true } : null,
    };
  };
}

function readSystem(system: unknown): RuleMessage[] {
  if (system === undefined || system === null) return [];
  return [{ role: 'system', content: textOf(system, 'system') }];
}

function readMessages(messages: unknown): RuleMessage[] {
  if (!Array.isArray(messages)) throw invalid('messages', wantsList);
  if (messages.length === 0) throw invalid('messages', 'at least one message is required');
  return messages.map((message: unknown, i) => {
    if (!isObject(message)) throw invalid(`messages.${i}`, wantsObject);
    const { role, content } = message;
    if (role !== 'user' && role !== 'assistant')
      throw invalid(
        `messages.${i}.role`,
        role === undefined ? fieldRequired : "Input should be 'user' or 'assistant'",
      );
    if (content === undefined) throw invalid(`messages.${i}.content`, fieldRequired);
    const text = textOf(content, `messages.${i}.content`);
    if (text === '') throw invalid(`messages.${i}`, 'messages must have non-empty content');
    return { role, content: text };
  });
}

function textOf(content: unknown, path: string): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw invalid(path, 'Input should be a valid string or list');
  return content
    .map((block: unknown, i) => {
      if (isObject(block) && block.type === 'text' && typeof block.text === 'string')
        return block.text;
      throw invalid(`${path}.${i}`, 'this model reads text blocks only');
    })
    .join('\n');
}

/** The one tool that `tool_choice` forces, if it does; otherwise the sandbox answers in words. */
function readCall({ tools, tool_choice: choice }: Record<string, unknown>): ChatRequest['call'] {
  const stated = (Array.isArray(tools) ? tools : []).map((tool: unknown, i) => readTool(tool, i));
  if (!isObject(choice)) return null;
  const { type, name } = choice;
  if (type === 'auto' || type === 'none') return null;
  if (type !== 'any' && type !== 'tool')
    throw invalid('tool_choice.type', "Input should be 'auto', 'any', 'tool' or 'none'");
  if (stated.length === 0)
    throw invalid('tool_choice', 'may only be specified while providing tools');
  const chosen = type === 'any' ? stated[0] : stated.find((tool) => tool.name === name);
  if (!chosen)
    throw invalid('tool_choice.name', `Tool '${String(name)}' not found in provided tools`);
  return chosen;
}

function readTool(tool: unknown, i: number) {
  if (!isObject(tool)) throw invalid(`tools.${i}`, wantsObject);
  const { name, input_schema: parameters } = tool;
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,128}$/.test(name))
    throw invalid(
      `tools.${i}.custom.name`,
      name === undefined ? fieldRequired : "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    );
  if (!isObject(parameters) || parameters.type !== 'object')
    throw invalid(
      `tools.${i}.custom.input_schema`,
      parameters === undefined ? fieldRequired : "Input should be a schema of type 'object'",
    );
  const fault = tool.strict === true ? outputSchemaFault(parameters) : null;
  if (fault) throw invalid(`tools.${i}.custom.input_schema`, fault);
  return { name, parameters, text: JSON.stringify(parameters) };
}
