/** States of providers and workers, over all processes: for those who run the server. */
import {
  type ModelState as ModelStateModel,
  type ProviderState as ProviderStateModel,
  readProviders,
  readWorkers,
  type WorkerState as WorkerStateModel,
} from '../../app/provider-states.ts';
import { builder } from './builder.ts';
import { Service } from './service.ts';

/** A statement, and a list as long as the configuration or the fleet. */
const stateCost = 100;

const learnedDescription =
  'True where the limits were learned from answers. False where they are configured, and where they are unknown.';
const reasonDescription = (what: string) =>
  `Why the ${what} is not asked, or was asked to slow down, for people. Null while it answers.`;

const ModelState = builder.objectRef<ModelStateModel>('ModelState').implement({
  description: 'State of one model of a provider, over all processes.',
  fields: (t) => ({
    model: t.exposeString('model', { description: 'Model as provider/name.' }),
    up: t.exposeBoolean('up', { description: 'False while every call fails, in any process.' }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: reasonDescription('model'),
    }),
    inFlight: t.exposeInt('inFlight', { description: 'Calls that have no answer yet.' }),
    requestsPerMinute: t.exposeInt('requestsPerMinute', {
      nullable: true,
      description: 'Requests a minute, for all processes together. Null while unknown.',
    }),
    tokensPerMinute: t.exposeInt('tokensPerMinute', {
      nullable: true,
      description: 'Tokens a minute, for all processes together. Null while unknown.',
    }),
    learned: t.exposeBoolean('learned', { description: learnedDescription }),
  }),
});

const ProviderState = builder.objectRef<ProviderStateModel>('ProviderState').implement({
  description: 'State of one provider, over all processes.',
  fields: (t) => ({
    name: t.exposeString('name', {
      description: "The part of a model's name before the slash.",
    }),
    up: t.exposeBoolean('up', {
      nullable: true,
      description: 'False while every call fails, in any process. Null before the first call.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: reasonDescription('provider'),
    }),
    inFlight: t.exposeInt('inFlight', { description: 'Calls that have no answer yet.' }),
    requestsPerMinute: t.exposeInt('requestsPerMinute', {
      nullable: true,
      description:
        'Requests a minute that each of its models takes, where models has no figure of its own. Null while unknown.',
    }),
    tokensPerMinute: t.exposeInt('tokensPerMinute', {
      nullable: true,
      description:
        'Tokens a minute that each of its models takes, where models has no figure of its own. Null while unknown.',
    }),
    learned: t.exposeBoolean('learned', { description: learnedDescription }),
    models: t.expose('models', {
      type: [ModelState],
      description:
        'Models that were called in the last 10 minutes, by name. Limits are kept for each model apart. On a server with keys, only models that Service.models lists.',
      complexity: { field: 1, multiplier: 10 },
    }),
  }),
});

const WorkerState = builder.objectRef<WorkerStateModel>('WorkerState').implement({
  description: 'A process that works on batches.',
  fields: (t) => ({
    id: t.exposeString('id', { description: 'Name of the process for as long as it lives.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      description: 'Time since which the process works.',
    }),
    concurrency: t.exposeInt('concurrency', {
      description:
        'Calls that the process may have sent and not yet recorded: its WORKER_CONCURRENCY.',
    }),
  }),
});

builder.objectFields(Service, (t) => ({
  providers: t.field({
    type: [ProviderState],
    description:
      'The configured providers, in the order of the configuration. The states are at most a third of WORKER_LEASE_MS old.',
    complexity: { field: stateCost, multiplier: 10 },
    resolve: (_service, _args, context) => readProviders(context),
  }),
  workers: t.field({
    type: [WorkerState],
    description:
      'The processes that work on batches, the longest running first. Empty where nothing would work on a batch.',
    complexity: { field: stateCost, multiplier: 10 },
    resolve: (_service, _args, context) => readWorkers(context),
  }),
}));
