/** Commands over files and models. */
import type { ItemStatus } from '../client/index.ts';
import { firstOf, limitOf } from './batch-commands.ts';
import { counted, dollars, plain } from './columns.ts';
import type { CommandOutcome } from './commands.ts';
import { exits, ReaderLeft } from './failure.ts';
import { type Given, listOf } from './flags.ts';
import { openInput } from './input.ts';
import { withServer } from './server.ts';
import type { Shell } from './shell.ts';
import { objectOf } from './values.ts';

/** Statuses that a line of results can have. */
const resultStatuses: readonly ItemStatus[] = ['succeeded', 'failed', 'cancelled', 'expired'];

export async function list(given: Given, shell: Shell): Promise<CommandOutcome> {
  const limit = limitOf(given);
  return await withServer(given, shell, async ({ winnow }) => {
    const files = await firstOf(winnow.files.list({ signal: shell.ending.signal }), limit);
    if (!given.has('json')) {
      for (const { id, format, itemCount, name } of files) {
        await shell.print(plain(`${id}  ${format}  ${counted(itemCount, 'row')}  ${name}`));
      }
    }
    return { exit: exits.done, json: { files } };
  });
}

export async function upload(given: Given, shell: Shell): Promise<CommandOutcome> {
  const input = await openInput(given, shell);
  return await withServer(given, shell, async ({ winnow }) => {
    const file = await input.upload(winnow);
    if (!given.has('json')) {
      for (const warning of file.warnings) shell.tell(warning);
      for (const { row, reason } of file.rejections) shell.tell(`row ${row}: ${reason}`);
      const { id, format, itemCount, name } = file;
      await shell.print(plain(`${id}  ${format}  ${counted(itemCount, 'row')}  ${name}`));
    }
    return { exit: exits.done, json: { file } };
  });
}

export async function models(given: Given, shell: Shell): Promise<CommandOutcome> {
  return await withServer(given, shell, async ({ winnow }) => {
    const all = await winnow.models({ signal: shell.ending.signal });
    if (!given.has('json')) {
      for (const { id, inputPrice, outputPrice } of all) {
        const isKnown = inputPrice !== null && outputPrice !== null;
        const price = isKnown
          ? `${dollars(inputPrice)} in, ${dollars(outputPrice)} out for a million tokens`
          : 'no known price';
        await shell.print(`${id}  ${price}`);
      }
    }
    return { exit: exits.done, json: { models: all } };
  });
}

/** Uploads the results, reads them, and deletes the file again. */
export async function parse(given: Given, shell: Shell): Promise<CommandOutcome> {
  const responseSchema = await objectOf(given, 'schema');
  const status = listOf(given, 'status', resultStatuses);
  const input = await openInput(given, shell);
  return await withServer(given, shell, async ({ winnow }) => {
    const { signal } = shell.ending;
    const file = await input.upload(winnow);
    const results: object[] = [];
    try {
      for await (const result of winnow.parseResults(file, { responseSchema, status, signal })) {
        if (given.has('json')) results.push(result);
        else await shell.print(JSON.stringify(result));
      }
    } catch (error) {
      if (!(error instanceof ReaderLeft)) throw error;
    } finally {
      await winnow.files.delete(file.id).catch(() => undefined); // the answer matters more
    }
    return { exit: exits.done, json: { results } };
  });
}
