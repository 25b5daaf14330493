/** The operations as GraphQL: mirrored from the registry, so that a new one needs nothing here. */

import { answerItems } from '../../app/answer-items.ts';
import { type CheckedItem, maxSyncItems, syncItems } from '../../app/inputs.ts';
import type { Planned } from '../../app/owner-budget.ts';
import { planFor } from '../../app/plan-for.ts';
import { maxCustomIdLength } from '../../core/ids.ts';
import { causeFields } from '../../core/log.ts';
import { totalUsage, type Usage } from '../../core/usage.ts';
import { takeItems, takingOf } from '../../db/takings.ts';
import { operations } from '../../operations/index.ts';
import type { Operation } from '../../operations/operation.ts';
import type { CallOrigin } from '../../telemetry/events.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { ItemResult, type ItemResultModel, resultTypeName } from './item-result.ts';
import { mirrorFields, mirrorInput } from './mirror.ts';
import { schemaCost } from './schema-cost.ts';
import { type ShownUsage, usageOfModel } from './usage.ts';

export const ItemInput = builder.inputType('ItemInput', {
  description: 'One text with its custom id and metadata.',
  fields: (t) => ({
    content: t.string({
      required: true,
      description:
        'Text of the item, sent exactly as given. Must not contain NUL characters or lone surrogates.',
    }),
    customId: t.string({
      description: `Key of the item, unique within the request, 1 to ${maxCustomIdLength} characters. Absent: the index of the item.`,
    }),
    metadata: t.field({
      type: 'JSONObject',
      description:
        'Fields for {placeholders} in the prompt template. The output repeats the fields.',
    }),
  }),
});

export const OperationEnum = builder.enumType('Operation', {
  description: 'Operation that runs on each item.',
  values: Object.fromEntries(
    operations.map(({ name, description }) => [name.toUpperCase(), { value: name, description }]),
  ),
});

const optionInputs = new Map(
  operations.map((operation) => [
    operation.name,
    mirrorInput(
      `${capitalised(operation.name)}Options`,
      `Options of ${operation.name}. ${operation.description}`,
      operation.params,
    ),
  ]),
);

/** `@oneOf`: the one key names the operation, its value holds the options. */
export const OperationInput = builder.inputType('OperationInput', {
  description: 'Operation with its options. Exactly one key must be given.',
  isOneOf: true,
  fields: (t) =>
    Object.fromEntries(
      operations.map((operation) => [
        operation.name,
        t.field({
          type: optionInputs.get(operation.name) as never,
          description: operation.description,
        }),
      ]),
    ),
});

interface OperationPayload {
  results: ItemResultModel[];
  model: string;
  usage: ShownUsage;
}

for (const operation of operations) {
  const result = mirrorResult(operation);
  if (!operation.whole) mirrorMutation(operation, result);
}

function mirrorResult(operation: Operation) {
  const { name } = operation;
  return builder.objectRef<ItemResultModel>(resultTypeName(name)).implement({
    description: `Result of ${name} for one item. The fields are null when the item failed.`,
    interfaces: [ItemResult],
    fields: (t) =>
      Object.fromEntries(
        mirrorFields(operation.result).map((field) => [
          field.name,
          t.field({
            type: field.type as never,
            nullable: true,
            description: field.description,
            resolve: ({ fields }: ItemResultModel) => (fields?.[field.name] ?? null) as never,
          }),
        ]),
      ),
  });
}

function mirrorMutation(operation: Operation, result: ReturnType<typeof mirrorResult>): void {
  const { name, description } = operation;
  const payload = builder.objectRef<OperationPayload>(`${capitalised(name)}Payload`).implement({
    description: `Results of ${name}, one per item.`,
    fields: (t) => ({
      results: t.expose('results', {
        type: [result],
        description: 'One result per item, in the order of the items.',
      }),
      model: t.exposeString('model', { description: 'Model that answered, as provider/name.' }),
      usage: t.expose('usage', {
        type: 'Usage',
        description: 'Requests, tokens and cost of all items together.',
      }),
    }),
  });

  builder.mutationField(name, (t) =>
    t.field({
      type: payload,
      description: `${description} Answers 1 to ${maxSyncItems} items at once, in order. A failed item has its own error.`,
      complexity: (args) => 1 + schemaCost(args),
      args: {
        items: t.arg({
          type: [ItemInput],
          required: true,
          description: `Items to process, 1 to ${maxSyncItems}.`,
          validate: { schema: syncItems as never },
        }),
        options: t.arg({
          type: optionInputs.get(name) as never,
          required: !operation.optionsOptional,
          description: 'Options of the operation, including the model and its options.',
        }),
      },
      resolve: async (_root, args, context) => {
        const items = args.items as unknown as CheckedItem[];
        context.budget.takeItems(items.length);
        const given = (args.options ?? {}) as Record<string, unknown>;
        return await runNow(operation, items, given, context);
      },
    }),
  );
}

async function runNow(
  operation: Operation,
  items: readonly CheckedItem[],
  options: Record<string, unknown>,
  context: Context,
): Promise<OperationPayload> {
  const plan = planFor(operation.name, options, items, context, 'options');
  const account = context.callLedger.accountOf(context.owner);
  const answers = await withinBudget(context, plan, (admit) =>
    answerItems(plan, items, {
      signal: context.signal,
      origin: originOf(context),
      onSpent: account.add,
      async admit(promptCharacters) {
        context.budget.takePrompts(promptCharacters);
        await admit({ promptCharacters: () => promptCharacters, answers: items.length });
        const { db, owner, limitsOf } = context;
        await takeItems(db.sql, takingOf(limitsOf(owner), { owner, items: items.length }));
      },
      onFault: (error) =>
        context.log.error({ err: error, ...context.asking }, 'an item failed in an unforeseen way'),
    }),
  );
  tellAnswered(operation.name, answers, context);
  const { id: model } = plan.model;
  const shown = (usage: Usage) => usageOfModel(usage, { model: () => model, execution: 'LIVE' });
  return {
    model,
    usage: shown(totalUsage(answers.map(({ usage }) => usage))),
    results: answers.map(({ usage, outcome }, index) => ({
      operation: operation.name,
      index,
      customId: items[index]?.customId ?? String(index),
      fields: outcome.status === 'SUCCEEDED' ? plan.operation.result(outcome.output) : null,
      error: outcome.status === 'FAILED' ? outcome.error : null,
      rejectedAnswer: outcome.status === 'FAILED' ? (outcome.rejectedAnswer ?? null) : null,
      usage: shown(usage),
    })),
  };
}

/** Facts that are told with each call. */
function originOf({ owner, events, asking, tracing }: Context): CallOrigin {
  const { trace } = asking;
  const origin = { lane: 'sync', owner, events, about: causeFields(asking) } as const;
  return trace ? { ...origin, trace, propagates: tracing?.propagates ?? false } : origin;
}

/** Tells of the items, as of those that a batch records. */
function tellAnswered(
  operation: string,
  answers: Awaited<ReturnType<typeof answerItems>>,
  { owner, events }: Context,
): void {
  if (!events.has('items.recorded')) return;
  const items = answers.map(({ outcome }) => ({
    status: outcome.status,
    errorCode: outcome.status === 'FAILED' ? outcome.error.code : null,
    items: 1,
  }));
  events.emit('items.recorded', { owner, operation, lane: 'sync', items });
}

/** Sets aside of the owner's month what the calls are expected to cost, until they have ended. */
async function withinBudget<T>(
  { ownerBudget, owner, asking: cause }: Context,
  { model, sampling }: ReturnType<typeof planFor>,
  run: (
    admit: (planned: Pick<Planned, 'promptCharacters' | 'answers'>) => Promise<void>,
  ) => Promise<T>,
): Promise<T> {
  const maxOutputTokens = sampling.maxOutputTokens ?? null;
  let end = () => undefined as unknown;
  try {
    return await run(async (planned) => {
      end = await ownerBudget.admit(owner, { ...planned, model: model.id, maxOutputTokens, cause });
    });
  } finally {
    end();
  }
}

function capitalised(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
