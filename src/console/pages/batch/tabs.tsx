/** The other sides of a batch: the request, the jobs at the provider, the webhook. */

import { CountsFields } from '../../data/batch-fields.ts';
import { graphql } from '../../data/graphql.ts';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { Button } from '../../parts/button.tsx';
import { Empty, PartError, Skeleton } from '../../parts/part.tsx';
import { Sieve } from '../../parts/sieve.tsx';
import { When } from '../../parts/when.tsx';
import { hasEnded } from '../../words/batch-state.ts';
import { count, many } from '../../words/numbers.ts';
import { providerName } from '../../words/provider.ts';
import { oneLine, visible } from '../../words/text.ts';
import { askedFacts } from './asked.tsx';
import { CopyButton } from './copy-button.tsx';
import { type Batch, RedeliverWebhook } from './documents.ts';
import { pretty } from './results/opened.tsx';
import type { Acting } from './use-act.ts';
import { useRead } from './use-read.ts';
import { WholeText } from './whole-text.tsx';

const FirstRequest = graphql(`
  query BatchFirstRequest($id: ID!) {
    batch(id: $id) {
      id
      items(first: 20) {
        edges {
          node {
            id
            request
          }
        }
      }
    }
  }
`);

const Jobs = graphql(
  `
    query BatchJobs($id: ID!) {
      batch(id: $id) {
        id
        providerBatches {
          id
          provider
          providerId
          status
          createdAt
          endedAt
          counts {
            ...CountsFields
          }
        }
      }
    }
  `,
  [CountsFields],
);

const Deliveries = graphql(`
  query BatchDeliveries($id: ID!) {
    batch(id: $id) {
      id
      webhookDeliveries {
        id
        at
        attempt
        messageId
        statusCode
        error
        nextAttemptAt
      }
    }
  }
`);

export function RequestTab({ batch }: { batch: Batch }) {
  const [{ data, error }, ask] = useLiveQuery({
    query: FirstRequest,
    variables: { id: batch.id },
  });
  const items = data?.batch?.items.edges ?? [];
  const request = items.find(({ node }) => node.request !== null)?.node.request ?? null;
  return (
    <div className="stack">
      <section className="card" aria-label="Options">
        <div className="row">
          <h2>Options</h2>
          <CopyButton text={pretty(batch.options)} what="Options" />
        </div>
        <dl className="facts-list">
          <dt>Operation</dt>
          <dd>{batch.operation.toLowerCase()}</dd>
          <dt>Model</dt>
          <dd>{visible(batch.model)}</dd>
          {askedFacts(batch.options, 2_000).map(([name, value]) => (
            <Option key={name} name={name} value={value} />
          ))}
          {batch.previewItems !== null && (
            <Option name="Preview" value={many(batch.previewItems, 'row')} />
          )}
          {batch.rescue && <Option name="Rescue" value="what jobs leave undone is called live" />}
          {batch.metadata && <Option name="Metadata" value={oneLine(pretty(batch.metadata))} />}
        </dl>
      </section>
      <section className="card" aria-label="First request">
        <div className="row">
          <h2>First request, as it was sent</h2>
          {request && <CopyButton text={pretty(request)} what="First request" />}
        </div>
        {error && <PartError error={error} what="The request" again={() => ask()} />}
        {!data && !error && <Skeleton lines={6} />}
        {data && !request && <p className="soft">None of the first rows can be sent.</p>}
        {request && <WholeText name="First request" text={pretty(request)} mono />}
      </section>
    </div>
  );
}

function Option({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd className="name">{value}</dd>
    </>
  );
}

export function JobsTab({ batch, pulse }: { batch: Batch; pulse: number }) {
  const { data, error, again } = useRead({
    query: Jobs,
    variables: { id: batch.id },
    pulse,
    pause: batch.execution === 'LIVE',
  });
  if (batch.execution === 'LIVE') {
    return (
      <Empty title="No jobs">
        <p>Rows are called live, one by one. Jobs are what a provider’s batch API works on.</p>
      </Empty>
    );
  }
  if (error) return <PartError error={error} what="The list of jobs" again={again} />;
  if (!data) return <Skeleton lines={4} />;
  const jobs = data.batch?.providerBatches ?? [];
  if (jobs.length === 0) {
    return (
      <Empty title="No job yet">
        <p>The first one is made as soon as a worker takes the batch.</p>
      </Empty>
    );
  }
  return (
    <section className="card wide-table" aria-label="Jobs">
      <table>
        <thead>
          <tr>
            <th scope="col">job</th>
            <th scope="col">{providerName(batch.model)} says</th>
            <th scope="col">requests</th>
            <th scope="col">made</th>
            <th scope="col">ended</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.id}>
              <td className="mono cut" title={job.id}>
                {job.providerId ? visible(job.providerId) : 'not at the provider yet'}
              </td>
              <td className="cut">{visible(job.status)}</td>
              <td>
                {job.counts.total === 0 ? (
                  <span className="soft">not counted yet</span>
                ) : (
                  <div className="job-counts">
                    <Sieve counts={job.counts} thin />
                    <span>
                      {count(job.counts.succeeded + job.counts.failed)} of {count(job.counts.total)}
                    </span>
                  </div>
                )}
              </td>
              <td>
                <When at={job.createdAt} as="soon" />
              </td>
              <td>
                {job.endedAt ? (
                  <When at={job.endedAt} as="soon" />
                ) : (
                  <span className="soft">not yet</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function WebhookTab({
  batch,
  pulse,
  acting: { act, busy },
}: {
  batch: Batch;
  pulse: number;
  acting: Acting;
}) {
  const { id, webhookUrl } = batch;
  const { data, error, again } = useRead({
    query: Deliveries,
    variables: { id },
    pulse,
    pause: webhookUrl === null,
  });
  if (webhookUrl === null) {
    return (
      <Empty title="No webhook">
        <p>No address was given when the batch was submitted.</p>
      </Empty>
    );
  }
  const deliveries = data?.batch?.webhookDeliveries ?? [];
  return (
    <section className="card wide-table" aria-label="Webhook">
      <div className="row wrap">
        <h2>Webhook</h2>
        <span className="mono cut name">{visible(webhookUrl)}</span>
        <span className="grow" />
        {hasEnded(batch) && (
          <Button
            small
            changes
            busy={busy === 'tell'}
            onClick={() =>
              act('tell', RedeliverWebhook, { id }, () => 'The webhook is told again.')
            }
          >
            Tell it again
          </Button>
        )}
      </div>
      {error && <PartError error={error} what="The list of deliveries" again={again} />}
      {!data && !error && <Skeleton lines={2} />}
      {data && deliveries.length === 0 && (
        <p className="soft">
          {hasEnded(batch) ? 'Not told yet.' : 'It is told when the batch has ended.'}
        </p>
      )}
      {deliveries.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">when</th>
              <th scope="col">attempt</th>
              <th scope="col">answer</th>
              <th scope="col">next attempt</th>
            </tr>
          </thead>
          <tbody>
            {deliveries.map((one) => (
              <tr key={one.id}>
                <td>
                  <When at={one.at} as="clock" />
                </td>
                <td>{one.attempt}</td>
                <td className="cut" title={one.error ?? undefined}>
                  {[one.statusCode ?? 'no answer', one.error && oneLine(one.error)]
                    .filter(Boolean)
                    .join(': ')}
                </td>
                <td>
                  {one.nextAttemptAt ? (
                    <When at={one.nextAttemptAt} as="clock" />
                  ) : (
                    'no other follows'
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
