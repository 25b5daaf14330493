/** Complete chat requests that are given inline. */
import { z } from 'zod';
import {
  type CheckedItem,
  inlineSize,
  item,
  refuseDuplicates,
  storableJsonObject,
} from './inputs.ts';

const line = z.looseObject({
  custom_id: item.shape.customId,
  method: z.literal('POST', 'only POST is sent').nullish(),
  url: z.string().endsWith('/chat/completions', 'only /v1/chat/completions is sent').nullish(),
  body: z.custom<Record<string, unknown>>(
    (body) =>
      typeof body === 'object' &&
      body !== null &&
      'messages' in body &&
      Array.isArray(body.messages),
    'needs {messages: […]}, or a line {custom_id, body: {messages: […]}}',
  ),
});

/** A body, or a line of OpenAI's batch file. The body is handed on as it is: a copy of zod's would lose a key named __proto__. */
const request = storableJsonObject.transform((given, context) => {
  const { custom_id: customId, ...body } = given;
  const checked = line.safeParse('body' in given ? given : { custom_id: customId, body });
  if (checked.success) return { customId: checked.data.custom_id, request: checked.data.body };
  for (const { path, message } of checked.error.issues) {
    context.addIssue({ code: 'custom', path: path.filter((name) => name in given), message });
  }
  return z.NEVER;
});

/** Requests as items, whose content is inside them. */
export const inlineRequests = z
  .array(z.unknown())
  .min(1, 'needs at least 1 request')
  .superRefine(inlineSize)
  .pipe(z.array(request))
  .transform((requests): CheckedItem[] =>
    requests.map(({ customId, request }, index) => ({
      customId: customId ?? String(index),
      content: '',
      metadata: null,
      request,
    })),
  )
  .superRefine((items, context) => refuseDuplicates(items, context, 'custom_id'));
