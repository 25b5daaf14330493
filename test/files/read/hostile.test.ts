import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileFormats } from '../../../src/files/read/format.ts';
import { UnreadableFile } from '../../../src/files/read/unreadable.ts';
import { runsOf } from '../../support/random.ts';
import { readAll } from './support.ts';

const seeds = [
  'id,text\r\n1,"a ""b""\n"\n2,é😀\n3,"x',
  '{"custom_id":"a","text":"\\ud83d\\ude00\\u0041"}\n"s"\n[1]\n{"n":[1.5e3,{"x":null}]}\n',
  '[{"text":"a","n":-0.1e-5},"b",{"text":"\\"]}"},[{}],true]',
  '{"custom_id":"a","url":"/v1/chat/completions","body":{"messages":[]}}\n',
];

/** Any bytes, or a file with some of them changed, left out or doubled. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  fc
    .tuple(
      fc.constantFrom(
        ...seeds.flatMap((seed) => [Buffer.from(seed), Buffer.from(`\ufeff${seed}`, 'utf16le')]),
      ),
      fc.array(fc.tuple(fc.nat(400), fc.constantFrom('set', 'cut', 'double'), fc.nat(255)), {
        maxLength: 6,
      }),
    )
    .map(([seed, changes]) => {
      let file = Buffer.from(seed);
      for (const [place, kind, byte] of changes) {
        const at = place % (file.length + 1);
        if (kind === 'set' && at < file.length) file[at] = byte;
        if (kind === 'cut')
          file = Buffer.concat([file.subarray(0, at), file.subarray(at + (byte % 9))]);
        if (kind === 'double')
          file = Buffer.concat([
            file.subarray(0, at),
            file.subarray(Math.max(0, at - (byte % 20))),
          ]);
      }
      return file;
    }),
);

function outcome(file: Buffer, options: NonNullable<Parameters<typeof readAll>[1]>) {
  try {
    return readAll(file, options);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    return null;
  }
}

describe('any bytes', () => {
  it.each([undefined, ...fileFormats])(
    'are read or refused, the same in one piece and in many, as %s',
    (format) => {
      fc.assert(
        fc.property(bytes, fc.integer({ min: 1, max: 30 }), (file, chunkBytes) => {
          const limits = { rowBytes: 150, depth: 20 };
          const options = { format, contentField: undefined, customIdField: '', limits };

          const whole = outcome(file, { ...options, limits: { ...limits, rowBytes: 10_000 } });
          const pieces = outcome(file, { ...options, chunkBytes });

          for (const reading of [whole, pieces]) {
            if (!reading) continue;
            expect(reading.rows.length).toBe(reading.itemCount);
            expect(reading.rejections.length).toBe(reading.rejectedCount);
          }
          // Content is chosen from the rows at hand, so only formats that have no choice are the
          // same throughout.
          if (whole && pieces && (format === 'TEXT' || format === 'OPENAI_JSONL')) {
            expect(pieces.rows).toEqual(whole.rows);
          }
        }),
        runsOf(150),
      );
    },
  );
});
