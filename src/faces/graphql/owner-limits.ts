/** Limits of an owner, and what it has taken. */
import type { LimitUse } from '../../core/errors.ts';
import { readTakings } from '../../db/takings.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';

type Use = Omit<LimitUse, 'limit'>;

interface OwnerLimitsModel {
  activeBatches: Use | null;
  itemsPerDay: Use | null;
  storageBytes: Use | null;
  requestsPerMinute: Use | null;
  modelCalls: Use | null;
  models: readonly string[] | null;
}

const LimitState = builder.objectRef<Use>('LimitState').implement({
  description: 'One limit and how far it is used.',
  fields: (t) => ({
    allowed: t.expose('allowed', { type: 'SafeInt', description: 'The limit.' }),
    used: t.expose('used', { type: 'SafeInt', description: 'The amount that is used now.' }),
    resetsAt: t.expose('resetsAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'The time when there is room again by itself. Null where only the owner’s own doing frees it, and where there never is.',
    }),
  }),
});

const OwnerLimits = builder.objectRef<OwnerLimitsModel>('OwnerLimits').implement({
  description: 'The limits of one owner, as LIMITS sets them.',
  fields: (t) => ({
    activeBatches: t.expose('activeBatches', {
      type: LimitState,
      nullable: true,
      description: 'Batches that are neither DRAFT nor ended.',
    }),
    itemsPerDay: t.expose('itemsPerDay', {
      type: LimitState,
      nullable: true,
      description: 'Items started since 00:00 UTC, those of synchronous calls included.',
    }),
    storageBytes: t.expose('storageBytes', {
      type: LimitState,
      nullable: true,
      description: 'Bytes of files and inline items, deleted ones until they are purged.',
    }),
    requestsPerMinute: t.expose('requestsPerMinute', {
      type: LimitState,
      nullable: true,
      description: 'Requests of all kinds, in the process that answers.',
    }),
    modelCalls: t.expose('modelCalls', {
      type: LimitState,
      nullable: true,
      description: 'Model calls at once, in the process that answers.',
    }),
    models: t.stringList({
      nullable: true,
      description:
        'Models that may be named, as configured: * at the end stands for any rest. Null for all.',
      resolve: ({ models }) => models && [...models],
    }),
  }),
});

builder.queryField('ownerLimits', (t) =>
  t.field({
    type: OwnerLimits,
    description:
      'The limits of the caller and how far each is used. Null fields are without a limit.',
    resolve: (_root, _args, context) => readOwnerLimits(context),
  }),
);

const unlimited: OwnerLimitsModel = {
  activeBatches: null,
  itemsPerDay: null,
  storageBytes: null,
  requestsPerMinute: null,
  modelCalls: null,
  models: null,
};

async function readOwnerLimits({
  db,
  owner,
  limitsOf,
  requestRate,
  callsOf,
}: Context): Promise<OwnerLimitsModel> {
  const limits = limitsOf(owner);
  if (limits === null) return unlimited;
  const { batches, items, bytes, nextDay } = await readTakings(db.sql, owner, limits);
  const use = (allowed: number | null, used: number | null, resetsAt: Date | null = null) =>
    allowed === null || used === null ? null : { allowed, used, resetsAt };
  return {
    activeBatches: use(limits.activeBatches, batches),
    itemsPerDay: use(limits.itemsPerDay, items, limits.itemsPerDay === 0 ? null : nextDay),
    storageBytes: use(limits.storageBytes, bytes),
    requestsPerMinute: requestRate.use(owner),
    modelCalls: use(limits.modelCalls, callsOf(owner)),
    models: limits.models,
  };
}
