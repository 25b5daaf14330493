/** An owner's spending in a month, by model and by the way in which the model was reached. */
import { BadUserInput } from '../../core/errors.ts';
import { quotedName } from '../../core/quoted-name.ts';
import { knownUsage } from '../../core/usage.ts';
import { limitOf, readOwnerStanding } from '../../db/owner-limits.ts';
import { type ModelSpending as ModelSum, readMonth, readSpending } from '../../db/spending.ts';
import { ExecutionEnum } from './batch-parts.ts';
import { builder } from './builder.ts';
import { usageOfModel } from './usage.ts';

interface MonthSpending {
  month: string;
  byModel: readonly ModelSum[];
}

const ModelSpending = builder.objectRef<ModelSum>('ModelSpending').implement({
  description: 'Cost of one model in one way of execution.',
  fields: (t) => ({
    model: t.exposeString('model', { description: 'Model as provider/name.' }),
    execution: t.expose('execution', {
      type: ExecutionEnum,
      description: 'Way in which the model was reached. Synchronous calls and previews are LIVE.',
    }),
    usage: t.field({
      type: 'Usage',
      description: 'Sums for this model and this way.',
      resolve: ({ usage, model, execution }) =>
        usageOfModel(usage, { model: () => model, execution }),
    }),
  }),
});

const Spending = builder.objectRef<MonthSpending>('Spending').implement({
  description: 'Cost of one owner in one month.',
  fields: (t) => ({
    month: t.exposeString('month', { description: 'Month in UTC, as 2026-11.' }),
    usage: t.field({
      type: 'Usage',
      description:
        'Sums over all models and ways. costUsd is that of the answers with a known price: byModel has null for models without one.',
      resolve: ({ byModel }) => ({
        ...knownUsage(byModel.map(({ usage }) => usage)),
        parts: () => byModel,
      }),
    }),
    budgetUsd: t.float({
      nullable: true,
      description:
        'Limit of the owner for a month in USD, from BUDGETS. Null when the server sets none.',
      resolve: (_spending, _args, { limits, owner }) => limitOf(limits, owner),
    }),
    remainingUsd: t.float({
      nullable: true,
      description:
        'USD left of budgetUsd after the spending and the expected cost of calls under way; 0 where nothing is left. Null without a limit, and for a month that is over.',
      async resolve({ month }, _args, { db, limits, owner }) {
        const standing = await readOwnerStanding(db.sql, limits, owner);
        if (standing?.month !== month) return null;
        return Math.max(0, standing.limitUsd - standing.spentUsd - standing.heldUsd);
      },
    }),
    byModel: t.field({
      type: [ModelSpending],
      description: 'Sums by model and way, the highest cost first.',
      resolve: ({ byModel }) => [...byModel],
    }),
  }),
});

builder.queryField('spending', (t) =>
  t.field({
    type: Spending,
    description:
      "Cost of the caller's batches and synchronous calls in one month, deleted batches included. Kept for 25 months. Synchronous calls are added within a second.",
    args: {
      month: t.arg.string({
        description:
          'Month in UTC, as 2026-11. Absent: the present month. BAD_USER_INPUT for anything else.',
      }),
    },
    async resolve(_root, { month: given }, { db, owner }) {
      const month = given ?? (await readMonth(db.sql));
      if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) {
        const message = `must be a month such as ${new Date().toISOString().slice(0, 7)}, not ${quotedName(month)}`;
        throw new BadUserInput([{ path: 'month', message }]);
      }
      return { month, byModel: await readSpending(db.sql, owner, month) };
    },
  }),
);
