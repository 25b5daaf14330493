/** The expected cost and time of a whole batch. */
import type { Projection as ProjectionModel } from '../../app/projection.ts';
import { builder } from './builder.ts';
import { Estimate } from './quotes.ts';

export const Projection = builder.objectRef<ProjectionModel>('Projection').implement({
  description: 'Expected cost and time of a batch at its end, estimated from its answers so far.',
  fields: (t) => ({
    answers: t.exposeInt('answers', {
      description:
        'Number of answers that the estimate rests on: those of the preview, else some hundreds that are spread over all.',
    }),
    succeeded: t.exposeFloat('succeeded', {
      description: 'Share of the answers that succeeded, 0 to 1.',
    }),
    costUsd: t.expose('costUsd', {
      type: Estimate,
      nullable: true,
      description:
        'Cost of the whole batch by its own execution, what was spent already included, in USD. Null where the price of an answer is unknown.',
    }),
    liveUsd: t.expose('liveUsd', {
      type: Estimate,
      nullable: true,
      description:
        'Cost of the whole batch if the items that are left are called live, in USD. Null where the price of an answer is unknown.',
    }),
    providerBatchUsd: t.expose('providerBatchUsd', {
      type: Estimate,
      nullable: true,
      description:
        "Cost of the whole batch if the items that are left go through the provider's batch API, in USD. Null where the provider has none, or the price is unknown.",
    }),
    liveSeconds: t.expose('liveSeconds', {
      type: Estimate,
      nullable: true,
      description:
        'Seconds that live calls need for the items that are left. Null where the pace is unknown.',
    }),
  }),
});
