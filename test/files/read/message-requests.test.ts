/** Bodies of creates of message batches, in chunks of any size. */
import { describe, expect, it } from 'vitest';
import { readLimits } from '../../../src/files/read/limits.ts';
import { createMessageRequestsReader } from '../../../src/files/read/message-requests.ts';
import { KeepingSink } from './support.ts';

const chunkSizes = [1, 2, 3, 7, 64, 1_000_000];

function read(body: string | Uint8Array, chunkBytes: number, limits = {}) {
  const sink = new KeepingSink();
  const reader = createMessageRequestsReader(sink, { ...readLimits, rows: 3, ...limits });
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    for (const _step of reader.push(bytes.subarray(at, at + chunkBytes)));
  }
  return { ...reader.end(), rows: sink.rows };
}

/** Requests whose text JSON.parse and JSON.stringify would change. */
const requests = [
  '{"custom_id":"a","params":{"max_tokens":1.0,"messages":[]}}',
  '{ "params" : {"x":{"max_tokens":1},"max\\u005ftokens":12345678901234567890},\n"custom_id":"B_\\u002d"}',
  '{"custom_id":"no","params":0,"custom_id":"c","params":{"messages":[{"content":"}],]価"}],"max_tokens":1}}',
];
const ids = ['a', 'B_-', 'c'];

describe('a body of requests', () => {
  it.each([
    `{"requests":[${requests.join()}]}`,
    ` {"a":[{"requests":[1]},"]}"],"b":-1 ,"requests" : [\n${requests.join(' ,\t')} ] ,"c":"\\"" } \n`,
    `{"\\u0072equests":[${requests.join()}],"d":null}`,
  ])('is its requests as they came: %#', (body) => {
    for (const chunkBytes of chunkSizes) {
      const { rows, itemCount, sizeBytes } = read(body, chunkBytes);

      expect(rows.map(({ fields }) => fields)).toEqual(requests);
      expect(rows.map(({ customId, row }) => [customId, row])).toEqual(
        ids.map((id, index) => [id, index + 1]),
      );
      expect([itemCount, sizeBytes]).toEqual([3, Buffer.byteLength(body)]);
    }
  });

  it('has the hash of its requests, whatever stands around them', () => {
    const hashOf = (list: readonly string[], around = '') =>
      read(`{${around}"requests":[${list.join(`,${around && ' '}`)}]}`, 9).hash;

    expect(hashOf(requests)).toBe(hashOf(requests, '"x":1,'));
    expect(hashOf(requests)).not.toBe(hashOf(requests.toReversed()));
    expect(hashOf(requests)).not.toBe(hashOf(requests.slice(1)));
  });
});

const good = requests[0] as string;
const withId = (id: string) => `{"custom_id":${id},"params":{"max_tokens":1}}`;
const withParams = (params: string) => `{"custom_id":"b","params":${params}}`;
const body = (second: string) => `{"requests":[${good},${second}]}`;

describe('a body is refused as a whole, by its place', () => {
  it.each([
    ['', 'The body must be a JSON object'],
    ['[]', 'The body must be a JSON object'],
    ['{}', 'requests: must be a list'],
    ['{"requests":{}}', 'requests: must be a list'],
    ['{"requests":null}', 'requests: must be a list'],
    ['{"requests":[]}', 'requests: must have at least 1 request'],
    [`{"requests":[${good}],"requests":[]}`, 'requests: must be there once'],
    [`{"requests":[${good}`, 'The body must be JSON: it ends'],
    [`{"requests":[${good}]`, 'The body must be JSON: it ends'],
    [`{"requests":[${good}]}x`, 'The body must be JSON: byte 75 of the body should be the end'],
    [`{"requests":[${good} ${good}]}`, 'requests.0: must be JSON; byte 74 of the body should be'],
    [`{"a" 1}`, 'The body must be JSON: byte 6 of the body should be a colon'],
    [`{"a":1 "b"}`, 'The body must be JSON: byte 8 of the body should be a comma'],
    [`{1:2}`, 'The body must be JSON: byte 2 of the body should be a key'],
    [`{"\\x":2}`, 'The body must be JSON: a key has an escape'],
    [body('7'), 'requests.1: must be an object'],
    [body(`{"custom_id":"b",}`), 'requests.1: is not JSON: byte 91 of the body should be a key'],
    [body('{"custom_id":NaN}'), 'requests.1: '],
    [body(withId('"b\\u0000"')), 'requests.1: '],
    [body(withId('1')), 'requests.1.custom_id: must be 1 to 64'],
    [body(withId('""')), 'requests.1.custom_id: must be 1 to 64'],
    [body(withId('"é"')), 'requests.1.custom_id: must be 1 to 64'],
    [body('{"params":{}}'), 'requests.1.custom_id: must be 1 to 64'],
    [body(withId('"\\u0061"')), 'requests.1.custom_id: must be unique; requests.0 has it too'],
    [body('{"custom_id":"b"}'), 'requests.1.params: must be an object'],
    [body(withParams('null')), 'requests.1.params: must be an object'],
    [body(withParams('[]')), 'requests.1.params: must be an object'],
    [body(withParams('{}')), 'requests.1.params.max_tokens: must be'],
    [body(withParams('{"a":{"max_tokens":1}}')), 'requests.1.params.max_tokens: must be'],
    [body(withParams('{"max_tokens":null}')), 'requests.1.params.max_tokens: must be'],
    [body(withParams('['.repeat(200) + ']'.repeat(200))), 'requests.1: must not be nested'],
    [
      body(['b', 'c', 'd'].map((id) => withId(`"${id}"`)).join()),
      'requests: must have at most 3 requests',
    ],
  ])('%s', (text, message) => {
    for (const chunkBytes of chunkSizes) {
      expect(() => read(text, chunkBytes)).toThrow(message);
    }
  });

  it('where a request is not UTF-8', () => {
    const bytes = Buffer.from(body(withParams('{"max_tokens":1,"a":"ä"}')), 'latin1');

    for (const chunkBytes of chunkSizes) {
      expect(() => read(bytes, chunkBytes)).toThrow('requests.1: must be UTF-8');
    }
  });

  it('where a request has too many bytes', () => {
    const text = body(withParams(`{"max_tokens":1,"a":"${'x'.repeat(300_000)}"}`));

    for (const chunkBytes of [1_000, 1_000_000]) {
      expect(() => read(text, chunkBytes, { rowBytes: 200_000 })).toThrow(
        expect.objectContaining({
          kind: 'too_large',
          message: 'requests.1: must have at most 200,000 bytes',
        }),
      );
    }
  });
});
