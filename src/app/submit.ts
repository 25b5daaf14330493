/**
 * A submit whose fields have been checked one by one, whichever way they came: what they must be
 * together, and to whom.
 */
import type { z } from 'zod';
import { BadUserInput, ItemFailure } from '../core/errors.ts';
import type { Execution } from '../db/tables.ts';
import { modelOf, type Plan } from '../engine/run/plan.ts';
import type { Model } from '../model/model.ts';
import { findOperation } from '../operations/index.ts';
import type { Caller } from './caller.ts';
import type { batchFields } from './inputs.ts';
import { issuesAt, planFor } from './plan-for.ts';
import { refuseUnpriced } from './price-of.ts';
import {
  type CheckedSource,
  invalidSource,
  readingOf,
  refuseMismatch,
  sampleOf,
} from './source.ts';
import { submitBatch } from './store-batch.ts';

/** A batch is read with both, whenever a page shows it. */
export const maxMetadataBytes = 100_000;
export const maxOptionsBytes = 4_194_304;

interface CheckedSubmit {
  operation: string;
  options: Record<string, unknown>;
  /** Where the options stand in the caller's input, for issues: empty, or a path. */
  optionsPath: string;
  source: CheckedSource;
  /** Path of the source in the caller's input, for issues. */
  sourcePath: string;
  fields: { [Name in keyof typeof batchFields]?: z.output<(typeof batchFields)[Name]> } & {
    autoStart?: boolean | null | undefined;
    execution?: Execution | null | undefined;
    rescue?: boolean | null | undefined;
    deduplicate?: boolean | null | undefined;
  };
  /** Path in front of a field's name in the caller's input: empty, or ends with a dot. */
  fieldsPath: string;
  /**
   * A file whose lines are not all requests, or without rows: its batch is FAILED from the start,
   * and not refused.
   */
  failsInvalidFile?: boolean;
  /** The provider whose models requests name without a provider, where it is configured. */
  bareNamesOf?: string;
}

/** Submits, and returns the batch's id. */
export async function submitChecked(context: Caller, submit: CheckedSubmit): Promise<string> {
  const { operation, options, optionsPath, source, sourcePath, fields, fieldsPath } = submit;
  const invalid = submit.failsInvalidFile ? invalidSource(source) : null;
  if (invalid === null) refuseMismatch(findOperation(operation), source, sourcePath);
  const execution = fields.execution ?? 'LIVE';
  const rescue = fields.rescue ?? false;
  if (rescue && execution === 'LIVE') {
    const message = 'must be absent for LIVE; rescue calls live what a provider job leaves undone';
    throw new BadUserInput([{ path: `${fieldsPath}rescue`, message }]);
  }
  const reading = readingOf(fields, source.file, fieldsPath);
  const plan = planFor(operation, options, sampleOf(source, reading), context, optionsPath);
  const named =
    modelNamedBare(context, submit) ??
    (invalid === null ? modelOfBatch(plan, source, optionsPath) : plan.model);
  const model = (await named.readings?.chosen()) ?? named;
  if (execution === 'PROVIDER_BATCH' && !model.batches) {
    const message = `must be LIVE for ${model.id}, whose provider has no batch API; models whose provider has one have providerBatch in Query.service`;
    throw new BadUserInput([{ path: `${fieldsPath}execution`, message }]);
  }
  if (fields.maxCostUsd != null) {
    refuseUnpriced(
      context.providers,
      { model: model.id, execution, options },
      `${fieldsPath}maxCostUsd`,
    );
  }
  if (fields.preview != null) {
    refuseLargePreview(fields.preview, source.itemCount, `${fieldsPath}preview`);
  }
  refuseTooLarge(fields.metadata ?? {}, maxMetadataBytes, `${fieldsPath}metadata`);
  refuseTooLarge(options, maxOptionsBytes, optionsPath);
  const { webhookUrl } = fields;
  const message = typeof webhookUrl === 'string' ? await context.checkWebhook(webhookUrl) : null;
  if (message !== null) throw new BadUserInput([{ path: `${fieldsPath}webhookUrl`, message }]);
  const limits = context.limitsOf(context.owner);
  return await submitBatch({ ...context, limits }, context.owner, {
    operation,
    options,
    model: model.id,
    source: source.given,
    execution,
    rescue,
    // Absent, and not null, where nothing is said: so the input hashes as before there was this.
    ...(fields.promptCaching == null ? undefined : { promptCaching: fields.promptCaching }),
    autoStart: fields.autoStart ?? true,
    name: fields.name ?? null,
    metadata: fields.metadata ?? null,
    idempotencyKey: fields.idempotencyKey ?? null,
    expiresInSeconds: fields.expiresInSeconds ?? null,
    webhookUrl: webhookUrl ?? null,
    deduplicate: unusual(fields.deduplicate, findOperation(operation)?.deduplicates ?? false),
    preview: fields.preview ?? undefined,
    fileError: invalid === null ? null : `The input file ${invalid}`,
    ...reading,
    maxCostUsd: fields.maxCostUsd ?? undefined,
    retainSeconds: fields.retainSeconds ?? undefined,
    itemCount: source.itemCount,
  });
}

/**
 * The given value; undefined where that is the usual one, so that it hashes as if it were absent.
 */
function unusual(given: boolean | null | undefined, usual: boolean): boolean | undefined {
  return given === usual ? undefined : (given ?? undefined);
}

function refuseLargePreview(preview: number, items: number, path: string): void {
  if (preview < items) return;
  const message = `must be less than the number of items, which is ${items.toLocaleString('en')}; ${preview.toLocaleString('en')} items were asked for`;
  throw new BadUserInput([{ path, message }]);
}

function refuseTooLarge(value: object, maxBytes: number, path: string): void {
  if (Buffer.byteLength(JSON.stringify(value)) <= maxBytes) return;
  const message = `must have at most ${maxBytes.toLocaleString('en')} bytes as JSON`;
  throw new BadUserInput([{ path: path || 'options', message }]);
}

/**
 * The model of `bareNamesOf` that the first request names. The batch has it, and so the others are
 * looked for at that provider too. Null where there is no such name, or no such provider.
 */
function modelNamedBare(
  { preparePlan }: Caller,
  { operation, options, source, bareNamesOf }: CheckedSubmit,
): Model | null {
  const name = source.items[0]?.request?.model;
  if (bareNamesOf === undefined || typeof name !== 'string' || name.includes('/')) return null;
  try {
    return preparePlan(operation, options, `${bareNamesOf}/${name}`).model;
  } catch (error) {
    if (error instanceof BadUserInput) return null;
    throw error;
  }
}

/**
 * The plan's; or the one that the first request names, where requests name their own. Throws
 * BadUserInput at `path`, the options' place in the input, where its owner may not use the plan's.
 */
export function modelOfBatch(plan: Plan, { items: [first] }: CheckedSource, path: string): Model {
  try {
    if (first) return modelOf(plan, first).model;
  } catch (error) {
    // It is that item's error, as it will be told.
    if (!(error instanceof ItemFailure)) throw error;
  }
  if (plan.modelProblem) throw new BadUserInput(issuesAt(path, plan.modelProblem));
  return plan.model;
}
