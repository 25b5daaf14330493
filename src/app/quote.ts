/** The expected cost and time of a submit, before there is one. */
import { BadUserInput } from '../core/errors.ts';
import type { Counter } from '../counting/counter.ts';
import { readHistory } from '../engine/quote/history.ts';
import { type ModelQuote, makeQuote, type Quoted, sampleSize } from '../engine/quote/quote.ts';
import { readSample, sampleItems } from '../engine/quote/read-sample.ts';
import { beginCaching } from '../engine/run/caching.ts';
import { type Plan, requestBody } from '../engine/run/plan.ts';
import type { ModelPrices } from '../model/prices.ts';
import { findOperation } from '../operations/index.ts';
import type { PromptItem } from '../operations/operation.ts';
import type { Caller } from './caller.ts';
import { countIdentical } from './identical-items.ts';
import { optionsHash } from './options-hash.ts';
import { planFor } from './plan-for.ts';
import { type CheckedSource, firstItem, readingOf, refuseMismatch, sampleOf } from './source.ts';
import { modelOfBatch } from './submit.ts';

export const maxQuotedModels = 10;

interface CheckedQuote {
  operation: string;
  options: Record<string, unknown>;
  /** Where the options stand in the caller's input, for issues. */
  optionsPath: string;
  source: CheckedSource;
  sourcePath: string;
  contentField: string | null;
  /** True where identical items are asked once; null: as the operation does by itself. */
  deduplicate: boolean | null;
  /** As `provider/name`; null for the one of the options, or the server's. */
  models: readonly string[] | null;
  /** Path in front of a field's name in the caller's input. */
  fieldsPath: string;
}

/** With the body of the first item's request; null where that item cannot be asked. */
export interface AskedQuote extends ModelQuote {
  firstRequest(): Promise<Record<string, unknown> | null>;
}

export interface Quote extends Omit<Quoted, 'countedTokens' | 'models'> {
  models: AskedQuote[];
  items: number;
  identicalItems: number | null;
}

interface Quoting extends Caller {
  counter: Counter;
  pricesOf(model: string): ModelPrices;
}

/** Counts and reads; sends and writes nothing. Throws RATE_LIMITED where too many are counted. */
export async function quoteChecked(context: Quoting, asked: CheckedQuote): Promise<Quote> {
  const { operation, options, optionsPath, source, sourcePath, fieldsPath } = asked;
  const { db, owner, counter, pricesOf } = context;
  refuseMismatch(findOperation(operation), source, sourcePath);
  const reading = readingOf({ contentField: asked.contentField }, source.file, fieldsPath);
  const { models } = asked;
  const named = models && plansOf(models, asked, context);
  // Neither the model of the options nor the server's is asked where the quote names others.
  const checked = models ? { ...options, model: models[0] } : options;
  const plan = planFor(operation, checked, sampleOf(source, reading), context, optionsPath);
  const plans = named ?? [{ ...plan, model: await chosenModel(plan, source, optionsPath) }];
  const { fileKey, itemCount } = source;
  const file = source.file && {
    ...source.file,
    contentField: reading.contentField ?? source.file.contentField,
  };
  const seed = 'fileId' in source.given ? source.given.fileId : '';
  const items =
    file && fileKey !== null
      ? readSample(db.sql, { fileKey, file, seed, total: itemCount, size: sampleSize })
      : sampleItems(source.items, { seed, size: sampleSize });
  const hash = optionsHash(operation, options);
  const isOnce = asked.deduplicate ?? findOperation(operation)?.deduplicates ?? false;
  const identicalItems = isOnce ? await countIdentical(db.sql, { plan, source, file }) : null;
  const quoted = await makeQuote(counter, {
    kind: operation,
    options,
    plans,
    items,
    total: itemCount,
    identical: identicalItems ?? 0,
    pricesOf,
    historyOf: (model) =>
      readHistory(db.sql, { owner, operation, optionsHash: hash, model, before: null }),
    patient: false,
  });
  const { sampledItems, unaskableItems } = quoted;
  let firstItems: Promise<readonly PromptItem[]> | null = null;
  const first = async () => {
    firstItems ??=
      file && fileKey !== null ? firstItem(db, fileKey, file) : Promise.resolve(source.items);
    return (await firstItems)[0];
  };
  const askedOf = quoted.models.map((model, index) => ({
    ...model,
    firstRequest: async () => bodyFor(plans[index] as Plan, await first(), itemCount),
  }));
  return { items: itemCount, identicalItems, models: askedOf, sampledItems, unaskableItems };
}

/** The body that one of so many items would be sent with. */
function bodyFor(plan: Plan, item: PromptItem | undefined, items: number) {
  if (!item) return null;
  void beginCaching(plan, [item], { asked: null, items, atOnce: 1 });
  return requestBody(plan, item);
}

async function chosenModel(
  plan: Plan,
  source: CheckedSource,
  path: string,
): Promise<Plan['model']> {
  const named = modelOfBatch(plan, source, path);
  return (await named.readings?.chosen()) ?? named;
}

/** The same operation with each model. */
function plansOf(
  models: readonly string[],
  { operation, options, fieldsPath }: CheckedQuote,
  { preparePlan }: Caller,
): Plan[] {
  return models.map((model, index) => {
    try {
      return preparePlan(operation, options, model);
    } catch (error) {
      if (!(error instanceof BadUserInput)) throw error;
      const path = `${fieldsPath}models.${index}`;
      throw new BadUserInput(error.issues.map((issue) => ({ ...issue, path })));
    }
  });
}
