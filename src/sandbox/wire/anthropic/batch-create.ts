/** A request for a batch of messages: its rows, checked as Anthropic does on acceptance. */
import { isObject } from '../../rules/json-schema.ts';
import { fieldRequired, invalid, wantsList, wantsObject, wantsString } from './invalid.ts';

const customIdShape = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * The rows as bytes of JSON. Takes the requests out of the body, so that they are not held twice.
 */
export function readRequests(
  body: unknown,
  maxRequests: number,
): { rows: Buffer[]; firstCustomId: string } {
  if (!isObject(body)) throw invalid('body', wantsObject);
  const { requests } = body;
  if (requests === undefined) throw invalid('requests', fieldRequired);
  if (!Array.isArray(requests)) throw invalid('requests', wantsList);
  const extra = Object.keys(body).find((name) => name !== 'requests');
  if (extra !== undefined) throw invalid(extra, 'Extra inputs are not permitted');
  const { length } = requests;
  if (length === 0)
    throw invalid('requests', 'List should have at least 1 item after validation, not 0');
  if (length > maxRequests)
    throw invalid(
      'requests',
      `List should have at most ${maxRequests} items after validation, not ${length}`,
    );
  const seen = new Set<string>();
  const rows = requests.map((request: unknown, i) => {
    const customId = readCustomId(request, `requests.${i}`);
    if (seen.has(customId))
      throw invalid(`requests.${i}.custom_id`, `must be unique, '${customId}' is a duplicate`);
    seen.add(customId);
    requests[i] = null;
    return Buffer.from(JSON.stringify(request));
  });
  return { rows, firstCustomId: seen.values().next().value ?? '' };
}

function readCustomId(request: unknown, path: string): string {
  if (!isObject(request)) throw invalid(path, wantsObject);
  const { custom_id: customId, params } = request;
  if (customId === undefined) throw invalid(`${path}.custom_id`, fieldRequired);
  if (typeof customId !== 'string') throw invalid(`${path}.custom_id`, wantsString);
  if (customId.length > 64)
    throw invalid(`${path}.custom_id`, 'String should have at most 64 characters');
  if (!customIdShape.test(customId))
    throw invalid(`${path}.custom_id`, `String should match pattern '${customIdShape.source}'`);
  if (params === undefined) throw invalid(`${path}.params`, fieldRequired);
  if (!isObject(params)) throw invalid(`${path}.params`, wantsObject);
  return customId;
}
