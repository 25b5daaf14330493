/**
 * Requests that carry a file, by https://github.com/jaydenseric/graphql-multipart-request-spec.
 * These small files are held in memory; POST /files streams larger ones.
 */
import { isRecord } from '../../core/json.ts';
import { quotedName } from '../../core/quoted-name.ts';
import { readForm } from '../http/form.ts';
import { jsonSizeProblem } from '../http/json-size.ts';
import { RouteError } from '../http/route-error.ts';
import { badRequest } from './errors.ts';

/** Bytes of a whole request that carries files. */
export const maxMultipartBytes = 10_485_760;
export const maxParts = 20;
/** A path or two for each part. */
const maxMapValues = 1_000;

/**
 * A file of a request. A class, since JSON cannot look like an instance. The fields are private, so
 * that nothing writes the bytes out by accident.
 */
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

/** The request in a form, each file in place of its variable. Throws BAD_REQUEST. */
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
      'A multipart request must have the parts operations (the request as JSON) and map (a JSON object such as {"0": ["variables.file"]}) before its files',
    );
  }
  const params = readOperations(operations);
  const { variables } = params as { variables?: unknown };
  for (const [part, paths] of readMap(mapText)) {
    const file = files.get(part);
    if (!file) throw badRequest(`The form must have the part ${quotedName(part)}, which map names`);
    for (const path of paths) placeFile(variables, path, file);
  }
  return params;
}

/** Puts a file in place of a null in `operations`, as specified. Overwrites nothing else. */
function placeFile(variables: unknown, path: string, file: UploadedPart): void {
  const name = path.startsWith('variables.') ? path.slice('variables.'.length) : '';
  if (
    typeof variables !== 'object' ||
    variables === null ||
    !Object.hasOwn(variables, name) ||
    (variables as Record<string, unknown>)[name] !== null
  ) {
    throw badRequest(
      `A path of map must be variables.<name> of a variable that is null in operations, not ${quotedName(path)}`,
    );
  }
  Object.defineProperty(variables, name, { value: file });
}

function readMap(text: Buffer): [part: string, paths: string[]][] {
  const problem = jsonSizeProblem(text, { values: maxMapValues });
  if (problem !== null) throw badRequest(`map ${problem}`);
  let map: unknown;
  try {
    map = JSON.parse(text.toString());
  } catch {
    // Said below.
  }
  const entries = isRecord(map) ? Object.entries(map) : null;
  const isPaths = (paths: unknown): paths is string[] =>
    Array.isArray(paths) && paths.every((path) => typeof path === 'string');
  if (!entries?.every((entry): entry is [string, string[]] => isPaths(entry[1]))) {
    throw badRequest(
      'map must be a JSON object of lists of paths, such as {"0": ["variables.file"]}',
    );
  }
  return entries;
}

async function readParts(
  contentType: string,
  body: Buffer,
): Promise<{ texts: Map<string, Buffer>; files: Map<string, UploadedPart> }> {
  const texts = new Map<string, Buffer>();
  const files = new Map<string, UploadedPart>();
  const names = new Set<string>();
  try {
    await readForm(contentType, [body], {
      maxParts,
      // A field is decoded by the parser, which would change bytes that are not UTF-8.
      isFile: () => true,
      async onFile({ field, fileName, contentType, bytes }) {
        if (names.has(field)) {
          throw badRequest(`The form must have only one part named ${quotedName(field)}`);
        }
        names.add(field);
        const whole = Buffer.concat(await bytes.toArray());
        if (field === 'operations' || field === 'map') texts.set(field, whole);
        else files.set(field, new UploadedPart({ name: fileName, contentType, bytes: whole }));
      },
    });
  } catch (error) {
    throw error instanceof RouteError ? badRequest(error.message) : error;
  }
  return { texts, files };
}
