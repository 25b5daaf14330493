/**
 * Requests with a file in them: https://github.com/jaydenseric/graphql-multipart-request-spec. Small files only, which are held in memory;
 * POST /files streams the others.
 */
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { quotedName } from '../../core/quoted-name.ts';
import { createFormParser, type FormParser } from '../http/form-parser.ts';
import { badRequest } from './errors.ts';

/** Bytes of a whole request that carries files. */
export const maxMultipartBytes = 10_485_760;
const maxParts = 20;

/** A file of a request. A class, since no JSON can pass for it; its fields are private, so that nothing can write it out by accident. */
export class UploadedPart {
  readonly #part: { name: string | null; contentType: string | null; bytes: Buffer };

  constructor(part: { name: string | null; contentType: string | null; bytes: Buffer }) {
    this.#part = part;
  }

  /** As the client says; any text. */
  get name(): string | null {
    return this.#part.name;
  }

  get contentType(): string | null {
    return this.#part.contentType;
  }

  get bytes(): Buffer {
    return this.#part.bytes;
  }
}

/** The request in a form, with each file in place of the variable that the form's map names. Throws BAD_REQUEST. */
export async function readMultipart(
  contentType: string,
  body: Buffer,
  readOperations: (body: Buffer) => object,
): Promise<object> {
  const { texts, files } = await readParts(contentType, body);
  const operations = texts.get('operations');
  const mapText = texts.get('map');
  if (!operations || !mapText) {
    throw badRequest(
      'A multipart request has the parts operations (the request as JSON) and map (a JSON object such as {"0": ["variables.file"]}) before its files',
    );
  }
  const params = readOperations(operations);
  const { variables } = params as { variables?: unknown };
  for (const [part, paths] of readMap(mapText)) {
    const file = files.get(part);
    if (!file)
      throw badRequest(`map names the part ${quotedName(part)}, which the form does not have`);
    for (const path of paths) placeFile(variables, path, file);
  }
  return params;
}

/** A file is a variable by itself, and null in `operations`: so the specification has it, and nothing else can be overwritten. */
function placeFile(variables: unknown, path: string, file: UploadedPart): void {
  const name = path.startsWith('variables.') ? path.slice('variables.'.length) : '';
  if (
    typeof variables !== 'object' ||
    variables === null ||
    !Object.hasOwn(variables, name) ||
    (variables as Record<string, unknown>)[name] !== null
  ) {
    throw badRequest(
      `map points to ${quotedName(path)}; it has to be variables.<name> of a variable that is null in operations`,
    );
  }
  Object.defineProperty(variables, name, { value: file });
}

function readMap(text: Buffer): [part: string, paths: string[]][] {
  let map: unknown;
  try {
    map = JSON.parse(text.toString());
  } catch {
    // Said below.
  }
  const entries =
    typeof map === 'object' && map !== null && !Array.isArray(map) ? Object.entries(map) : null;
  const isPaths = (paths: unknown): paths is string[] =>
    Array.isArray(paths) && paths.every((path) => typeof path === 'string');
  if (!entries?.every((entry): entry is [string, string[]] => isPaths(entry[1]))) {
    throw badRequest('map is a JSON object of lists of paths, such as {"0": ["variables.file"]}');
  }
  return entries;
}

async function readParts(
  contentType: string,
  body: Buffer,
): Promise<{ texts: Map<string, Buffer>; files: Map<string, UploadedPart> }> {
  const texts = new Map<string, Buffer>();
  const files = new Map<string, UploadedPart>();
  const { parser, partType } = createParser(contentType);
  let problem: string | null = null;
  parser.on('partsLimit', () => {
    problem = `The form has more than ${maxParts} parts`;
  });
  parser.on('file', (name, stream: Readable, fileName) => {
    const type = partType();
    const pieces: Buffer[] = [];
    // Said by the parser too.
    stream.on('error', () => undefined);
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      const bytes = Buffer.concat(pieces);
      if (texts.has(name) || files.has(name)) {
        problem = `The form has two parts that are called ${quotedName(name)}`;
      } else if (name === 'operations' || name === 'map') {
        texts.set(name, bytes);
      } else {
        files.set(name, new UploadedPart({ name: fileName ?? null, contentType: type, bytes }));
      }
    });
  });
  const finished = once(parser, 'finish');
  parser.end(body);
  await finished.catch(() => {
    problem ??= 'The form is broken, or ends too early';
  });
  if (problem !== null) throw badRequest(problem);
  return { texts, files };
}

function createParser(contentType: string): FormParser {
  try {
    return createFormParser(contentType, {
      preservePath: true,
      // Fields are decoded on the way, and bytes that are no UTF-8 would be changed silently.
      isPartAFile: () => true,
      limits: { parts: maxParts, headerPairs: 50, headerSize: 16_384 },
    });
  } catch {
    throw badRequest('The Content-Type of the form has no boundary');
  }
}
