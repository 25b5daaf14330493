/** A file sent in each way that there is, and what every way answers alike. */
import type { App } from '../../support/app.ts';

interface Sent {
  status: number;
  /** The file, under the names of the type File. */
  file: Record<string, any>;
  /** The message where it was refused; empty where it was not. */
  error: string;
}

export interface Way {
  name: string;
  send(
    app: Pick<App, 'url'>,
    bytes: Uint8Array | string,
    given?: { name?: string; type?: string; options?: Record<string, string> },
  ): Promise<Sent>;
}

async function sentBy(response: Response): Promise<Sent> {
  const body = (await response.json()) as Record<string, any>;
  return { status: response.status, file: body, error: body.error?.message ?? '' };
}

const asBytes = (file: Uint8Array | string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(file as Uint8Array));

export const asBody: Way = {
  name: 'POST /files with the file as its body',
  async send({ url }, bytes, { name, type, options = {} } = {}) {
    const query = new URLSearchParams({ ...(name ? { name } : {}), ...options });
    const init = {
      method: 'POST',
      body: asBytes(bytes),
      headers: { 'content-type': type ?? 'application/octet-stream' },
    };
    return await sentBy(await fetch(`${url}/files?${query}`, init));
  },
};

export const asForm: Way = {
  name: 'POST /files with a form',
  async send({ url }, bytes, { name = 'upload', type, options = {} } = {}) {
    // FormData writes the type in lower case and drops what it does not like; curl sends what it is
    // told.
    const parts = Object.entries(options).map(
      ([field, value]) =>
        `--b\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
    );
    const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type ?? 'application/octet-stream'}\r\n\r\n`;
    const body = Buffer.concat([
      Buffer.from(`${parts.join('')}${head}`),
      asBytes(bytes),
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    return await sentBy(await fetch(`${url}/files`, { method: 'POST', body, headers }));
  },
};

const mutation = `mutation ($file: Upload!, $format: FileFormat, $contentField: String, $customIdField: String, $charset: String,
  $delimiter: String, $quote: String, $rowsField: String) {
  uploadFile(file: $file, format: $format, contentField: $contentField, customIdField: $customIdField, charset: $charset,
    delimiter: $delimiter, quote: $quote, rowsField: $rowsField) { file { id name format itemCount columns contentField customIdField
      rejectedCount rejections { row reason } blankCount encoding warnings } } }`;

const asMutation: Way = {
  name: 'uploadFile',
  async send({ url }, bytes, { name = 'upload', type, options = {} } = {}) {
    const operations = JSON.stringify({ query: mutation, variables: { file: null, ...options } });
    const body = Buffer.concat([
      Buffer.from(
        `--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${operations}\r\n--b\r\nContent-Disposition: form-data; name="map"\r\n\r\n{"0":["variables.file"]}\r\n--b\r\nContent-Disposition: form-data; name="0"; filename="${name}"\r\nContent-Type: ${type ?? 'application/octet-stream'}\r\n\r\n`,
      ),
      asBytes(bytes),
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'multipart/form-data; boundary=b', 'graphql-preflight': '1' },
    });
    const { data, errors } = (await response.json()) as Record<string, any>;
    const file = data?.uploadFile?.file ?? {};
    return { status: errors ? 400 : 201, file, error: errors?.[0]?.message ?? '' };
  },
};

export const waysIn: readonly Way[] = [asBody, asForm, asMutation];
