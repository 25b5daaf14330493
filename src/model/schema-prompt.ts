/**
 * Says in words what `response_format: json_schema` would have enforced, for models and schemas
 * that it does not fit. The word JSON must stand in the messages, or OpenAI refuses json_object.
 */
import type { ChatMessage, JsonSchema } from './request.ts';

/**
 * The messages with the schema stated at the end of the first system message (one is made if there
 * is none). It goes there, before the item, so that all items of a batch keep one prefix and the
 * provider's prompt cache hits.
 */
export function stateSchema(messages: readonly ChatMessage[], schema: JsonSchema): ChatMessage[] {
  const statement = statementOf(messages, schema);
  if (statement === '') return [...messages];
  const at = messages.findIndex(({ role }) => role === 'system');
  if (at === -1) return [{ role: 'system', content: statement }, ...messages];
  return messages.map((message, index) =>
    index === at ? { role: 'system', content: `${message.content}\n\n${statement}` } : message,
  );
}

/** A schema of any object says no more than its words do, and built-in prompts have those. */
function statementOf(messages: readonly ChatMessage[], schema: JsonSchema): string {
  const { description, ...rules } = schema;
  if (Object.keys(rules).join() !== 'type') {
    return `Answer with a JSON object that satisfies this JSON Schema: ${JSON.stringify(schema)}`;
  }
  const asks = messages.some(
    ({ role, content }) => role === 'system' && content.includes('one JSON object'),
  );
  return [
    ...(asks ? [] : ['Answer with one JSON object and nothing else.']),
    ...(typeof description === 'string' ? [description] : []),
  ].join('\n\n');
}
