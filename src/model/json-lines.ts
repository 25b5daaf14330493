/**
 * Lines out of a stream of bytes.
 */
const newline = 10;

/**
 * The lines of UTF-8 `chunks`, blank ones left out, a carriage return and a byte order mark taken
 * off. Null stands for a line of more than `maxBytes`, of which nothing is kept. The last line
 * needs no newline. Characters and lines may be cut anywhere.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<string | null> {
  // Per line, so a byte that is not UTF-8 spoils that line alone; it takes a leading byte order
  // mark
  // off.
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [];
  let size = 0;

  function take(): string | null {
    const line = size > maxBytes ? null : decoder.decode(Buffer.concat(parts)).trim();
    parts = [];
    size = 0;
    return line;
  }
  function add(part: Uint8Array): void {
    size += part.length;
    if (size > maxBytes) parts = [];
    else parts.push(part);
  }

  for await (const chunk of chunks) {
    let at = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, at)) {
      add(chunk.subarray(at, end));
      at = end + 1;
      const line = take();
      if (line !== '') yield line;
    }
    if (at < chunk.length) add(chunk.subarray(at));
  }
  const last = take();
  if (last !== '') yield last;
}
