/** Complete chat requests that are given inline. */
import { z } from 'zod';
import { isChatUrl, wrongMethod, wrongUrl } from '../files/chat-url.ts';
import { dialectOf } from '../files/request-row.ts';
import {
  type CheckedItem,
  inlineSize,
  item,
  refuseRepeatedIds,
  storableJsonObject,
} from './inputs.ts';

/** Handed on as it is: a copy of zod's would lose a key named __proto__. */
const messages = (message: string) =>
  z.custom<Record<string, unknown>>(
    (body) =>
      typeof body === 'object' &&
      body !== null &&
      'messages' in body &&
      Array.isArray(body.messages),
    message,
  );

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? '').slice(0, 100).toWellFormed();
}

const openAiLine = z.looseObject({
  custom_id: item.shape.customId,
  method: z.literal('POST', { error: ({ input }) => wrongMethod(shown(input)) }).nullish(),
  url: z
    .custom<string>((url) => typeof url === 'string' && isChatUrl(url), {
      error: ({ input }) => wrongUrl(shown(input)),
    })
    .nullish(),
  body: messages(
    'must be {messages: […]}, or a line {custom_id, body: {messages: […]}} or {custom_id, params: {messages: […]}}',
  ),
});

const anthropicLine = z.looseObject({
  custom_id: item.shape.customId,
  params: messages('must be {messages: […]}'),
});

/** A body, or a line of OpenAI's or Anthropic's batch input. */
const request = storableJsonObject.transform((given, context) => {
  const read = readRequest(given);
  if (read.success) return read.data;
  for (const { path, message } of read.error.issues) {
    context.addIssue({ code: 'custom', path: path.filter((name) => name in given), message });
  }
  return z.NEVER;
});

const fromOpenAi = openAiLine.transform(({ custom_id, body }) => ({
  customId: custom_id,
  request: body,
  dialect: 'openai' as const,
}));

const fromAnthropic = anthropicLine.transform(({ custom_id, params }) => ({
  customId: custom_id,
  request: params,
  dialect: 'anthropic' as const,
}));

const fromBody = openAiLine.transform(({ custom_id, body }) => ({
  customId: custom_id,
  request: body,
  dialect: dialectOf(body),
}));

function readRequest(given: Record<string, unknown>) {
  if ('body' in given) return fromOpenAi.safeParse(given);
  if ('params' in given && !('messages' in given)) return fromAnthropic.safeParse(given);
  const { custom_id, ...body } = given;
  return fromBody.safeParse({ custom_id, body });
}

/** Requests as items, whose content is inside them. */
export const inlineRequests = z
  .array(z.unknown())
  .min(1, 'must have at least 1 request')
  .superRefine(inlineSize)
  .pipe(z.array(request))
  .transform((requests): CheckedItem[] =>
    requests.map(({ customId, request, dialect }, index) => ({
      customId: customId ?? String(index),
      content: '',
      metadata: null,
      request,
      dialect,
    })),
  )
  .superRefine((items, context) => refuseRepeatedIds(items, context, 'custom_id'));
