/** Commands that tell of money: what was spent. */
import type { Usage } from '../client/index.ts';
import { cost, count, counted } from './columns.ts';
import type { CommandOutcome } from './commands.ts';
import { exits } from './failure.ts';
import type { Given } from './flags.ts';
import { withServer } from './server.ts';
import type { Shell } from './shell.ts';

/** The sum of a month, and a line for each model and execution. */
export async function spending(given: Given, shell: Shell): Promise<CommandOutcome> {
  const [, month] = given.words;
  return await withServer(given, shell, async ({ winnow }) => {
    const spent = await winnow.spending(month, { signal: shell.ending.signal });
    if (!given.has('json')) {
      await shell.print(`${spent.month}  ${spentText(spent.usage)}`);
      for (const { model, execution, usage } of spent.byModel) {
        await shell.print(`${model}  ${execution}  ${spentText(usage)}`);
      }
    }
    return { exit: exits.done, json: { spending: spent } };
  });
}

function spentText({ costUsd, requests, inputTokens, outputTokens, ...usage }: Usage): string {
  const unmetered = usage.unmeteredRequests;
  return [
    requests === 0 ? 'nothing' : cost(costUsd),
    counted(requests, 'request'),
    `${count(inputTokens)} tokens in, ${count(outputTokens)} out`,
    ...(unmetered > 0 ? [`${counted(unmetered, 'request')} without a usage, not in the cost`] : []),
  ].join('  ');
}
