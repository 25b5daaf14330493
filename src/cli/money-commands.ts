/** Commands that tell of money: what an operation would take, and what was spent. */
import type {
  ModelQuote,
  OperationName,
  Quote,
  QuoteOptions,
  Spending,
  Usage,
} from '../client/index.ts';
import { nearest } from '../core/nearest.ts';
import { cost, count, counted, dollars, plain, usdText } from './columns.ts';
import type { CommandOutcome } from './commands.ts';
import { tokensText } from './estimate.ts';
import { exits, WrongUse } from './failure.ts';
import type { FlagName, Given } from './flags.ts';
import { openInput } from './input.ts';
import { asSubmit, operationFlags, readOperation } from './operation.ts';
import { withServer } from './server.ts';
import type { Shell } from './shell.ts';

export const quotedOperations = Object.keys(operationFlags) as OperationName[];
const ofAnyOperation = [...new Set(Object.values(operationFlags).flat())];

export const quoteFlags: readonly FlagName[] = [...ofAnyOperation, 'models', 'column', 'id'];

/** Uploads the file, counts, and deletes the file again. */
export async function quote(given: Given, shell: Shell): Promise<CommandOutcome> {
  const name = operationOf(given);
  const ofOperation: Given = { ...given, words: given.words.slice(1) };
  const operation = await readOperation(name, ofOperation);
  const models = given
    .text('models')
    ?.split(',')
    .map((model) => model.trim());
  const input = await openInput(ofOperation, shell);
  return await withServer(given, shell, async ({ winnow }) => {
    const file = await input.upload(winnow);
    const { signal } = shell.ending;
    const options = { ...asSubmit(operation), source: { id: file.id }, models, signal };
    const quoted = await winnow
      .quote(options as QuoteOptions)
      .finally(() => winnow.files.delete(file.id).catch(() => undefined)); // it tells more
    if (!given.has('json')) await shell.print(linesOf(quoted).map(plain).join('\n'));
    return { exit: exits.done, json: { quote: quoted } };
  });
}

/** Throws WrongUse for an unknown operation, and for a flag that it does not take. */
function operationOf(given: Given): OperationName {
  const [, word] = given.words;
  const name = quotedOperations.find((one) => one === word);
  if (!name) {
    const near = word === undefined ? null : nearest(word, quotedOperations);
    const hint = near ? `. Did you mean ${near}?` : '';
    throw new WrongUse(`winnow quote needs an operation, ${quotedOperations.join(', ')}${hint}`);
  }
  const strange = ofAnyOperation.find(
    (flag) => given.has(flag) && !operationFlags[name].includes(flag),
  );
  if (strange) throw new WrongUse(`winnow quote ${name} takes no --${strange}`);
  return name;
}

function linesOf({ items, sampledItems, unaskableItems, identicalItems, models }: Quote): string[] {
  const rows = [
    counted(items, 'row'),
    ...(sampledItems < items ? [`${count(sampledItems)} of them counted`] : []),
    ...(identicalItems ? [`${count(identicalItems)} identical to an earlier one`] : []),
    ...(unaskableItems > 0
      ? [`${count(unaskableItems)} blank or without a field of the template`]
      : []),
  ];
  return [rows.join(', '), ...models.flatMap(modelLines)];
}

function modelLines({ model, liveUsd, liveCachedUsd, providerBatchUsd, ...quote }: ModelQuote) {
  const line = (label: string, text: string) => `  ${label.padEnd(12)} ${text}`;
  return [
    model,
    line('tokens', `${tokensText(quote)}, answers ${quote.outputBasis}`),
    line('live', liveUsd ? usdText(liveUsd) : cost(null)),
    ...(liveCachedUsd ? [line('live, cached', usdText(liveCachedUsd))] : []),
    ...(providerBatchUsd ? [line('--batch-api', usdText(providerBatchUsd))] : []),
    ...(quote.tooLongItems ? [line('too long', counted(quote.tooLongItems, 'row'))] : []),
    ...quote.caveats.map((caveat) => line('note', caveat)),
  ];
}

/** The sum of a month, and a line for each model and execution. */
export async function spending(given: Given, shell: Shell): Promise<CommandOutcome> {
  const [, month] = given.words;
  return await withServer(given, shell, async ({ winnow }) => {
    const spent = await winnow.spending(month, { signal: shell.ending.signal });
    if (!given.has('json')) {
      await shell.print(`${spent.month}  ${spentText(spent.usage)}`);
      const budget = budgetText(spent);
      if (budget !== null) await shell.print(budget);
      for (const { model, execution, usage } of spent.byModel) {
        await shell.print(`${model}  ${execution}  ${spentText(usage)}`);
      }
    }
    return { exit: exits.done, json: { spending: spent } };
  });
}

/** Null where the owner has no limit. */
function budgetText({ month, budgetUsd, remainingUsd }: Spending): string | null {
  if (budgetUsd === null) return null;
  const left = remainingUsd === null ? '' : `, ${dollars(remainingUsd)} left`;
  return `${month}  of ${dollars(budgetUsd)} a month${left}`;
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
