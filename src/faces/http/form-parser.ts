/** The parser of multipart forms, which also knows the content type of a part as it was written. */
import type { EventEmitter } from 'node:events';
import { Busboy, type BusboyConfig } from '@fastify/busboy';

export interface FormParser {
  parser: InstanceType<typeof Busboy>;
  /** The content type of the part that began last, with its parameters; null where it has none. */
  partType(): string | null;
}

/** Throws for a content type that names no boundary. */
export function createFormParser(
  contentType: string,
  config: Omit<BusboyConfig, 'headers'>,
): FormParser {
  const parser = new Busboy({ ...config, headers: { 'content-type': contentType } });
  let type: string | null = null;
  // Busboy hands on the type without its parameters, of which one is the charset. What it reads the
  // headers with has them.
  const { parser: reader } = (parser as unknown as { _parser: { parser: EventEmitter } })._parser;
  reader.on('part', (part: EventEmitter) => {
    part.prependListener('header', (header: { readonly [name: string]: readonly string[] }) => {
      type = header['content-type']?.[0] ?? null;
    });
  });
  return { parser, partType: () => type };
}
