/** Pictures of pages as PNG files with a palette: a third of the size of what a browser writes. */
import { crc32, deflateSync } from 'node:zlib';
import type { Page } from 'playwright-core';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const mostColours = 256;
/** So many are the most frequent ones, the others those that differ most from all before them. */
const frequentColours = 192;

/** The same picture in 256 of its colours. A browser reads the pixels of what it wrote. */
export async function packPicture(page: Page, png: Buffer): Promise<Buffer> {
  const { width, height, base64 } = await readPixels(page, png);
  const pixels = Buffer.from(base64, 'base64');
  const colours = Uint32Array.from({ length: width * height }, (_, at) =>
    pixels.readUIntBE(4 * at, 3),
  );
  const { palette, places } = chooseColours(colours);
  const lines = Buffer.alloc((width + 1) * height);
  for (const [at, colour] of colours.entries()) {
    // Each line begins with its filter, 0.
    lines[at + Math.floor(at / width) + 1] = places.get(colour) ?? 0;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits a pixel, each a place in the palette.
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap(partsOf))),
    chunk('IDAT', deflateSync(lines, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

async function readPixels(page: Page, png: Buffer) {
  const reader = await page.context().newPage();
  try {
    return await reader.evaluate(async (source) => {
      const image = new Image();
      image.src = `data:image/png;base64,${source}`;
      await image.decode();
      const { width, height } = image;
      const canvas = new OffscreenCanvas(width, height).getContext('2d') as any;
      canvas.drawImage(image, 0, 0);
      const { data } = canvas.getImageData(0, 0, width, height);
      let bytes = '';
      for (const byte of data) bytes += String.fromCharCode(byte);
      return { width, height, base64: btoa(bytes) };
    }, png.toString('base64'));
  } finally {
    await reader.close();
  }
}

/** The colours to keep, and the place of the one that is nearest to each colour there is. */
function chooseColours(colours: Uint32Array) {
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const all = [...counts].sort(([, one], [, other]) => other - one).map(([colour]) => colour);
  const palette = all.slice(0, frequentColours);
  const away = all.map((colour) => Math.min(...palette.map((other) => distance(colour, other))));
  while (palette.length < Math.min(mostColours, all.length)) {
    const next = all[away.indexOf(Math.max(...away))] ?? 0;
    palette.push(next);
    for (const [at, colour] of all.entries()) {
      away[at] = Math.min(away[at] ?? 0, distance(colour, next));
    }
  }
  const places = new Map<number, number>();
  for (const colour of all) {
    const distances = palette.map((other) => distance(colour, other));
    places.set(colour, distances.indexOf(Math.min(...distances)));
  }
  return { palette, places };
}

function partsOf(colour: number): number[] {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

function distance(one: number, other: number): number {
  const others = partsOf(other);
  return partsOf(one).reduce((sum, value, n) => sum + (value - (others[n] ?? 0)) ** 2, 0);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
