/**
 * `node --import tsx test/seed/pack-vocabularies.ts` writes src/counting/vocabularies anew, from
 * the encodings of ai-tokenizer. Its modules are objects of 200,000 members, each of which takes
 * 170 MB and a second to load; the packed files take 10 MB and 0.1 s.
 */
import { writeFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';
import * as cl100k from 'ai-tokenizer/encoding/cl100k_base';
import * as claude from 'ai-tokenizer/encoding/claude';
import * as o200k from 'ai-tokenizer/encoding/o200k_base';

interface Encoding {
  pat_str: string;
  stringEncoder: Record<string, number>;
  binaryEncoder: [Uint8Array, number][];
}

/** As src/counting/vocabulary.js reads it. */
function pack({ pat_str, stringEncoder, binaryEncoder }: Encoding): Buffer {
  const byRank: Uint8Array[] = [];
  for (const [text, rank] of Object.entries(stringEncoder)) byRank[rank] = Buffer.from(text);
  for (const [bytes, rank] of binaryEncoder) byRank[rank] = bytes;
  const tokens = Array.from(byRank, (bytes) => bytes ?? new Uint8Array());
  const pattern = Buffer.from(pat_str);
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32LE(pattern.length, 0);
  sizes.writeUInt32LE(tokens.length, 4);
  const lengths = Buffer.alloc(2 * tokens.length);
  for (const [rank, { length }] of tokens.entries()) lengths.writeUInt16LE(length, 2 * rank);
  return Buffer.concat([sizes, pattern, lengths, ...tokens]);
}

for (const [name, encoding] of Object.entries({ o200k, cl100k, claude })) {
  const packed = pack(encoding as unknown as Encoding);
  const compressed = brotliCompressSync(packed, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: packed.length,
    },
  });
  const path = new URL(`../../src/counting/vocabularies/${name}.br`, import.meta.url);
  writeFileSync(path, compressed);
  process.stdout.write(`${name}: ${packed.length} bytes, ${compressed.length} packed\n`);
}
