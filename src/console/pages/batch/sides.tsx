/** The sides of a batch, one at a time. */
import * as Tabs from '@base-ui/react/tabs';
import type { ReactNode } from 'react';
import { count } from '../../words/numbers.ts';
import type { Batch } from './documents.ts';
import { JobsTab, RequestTab, WebhookTab } from './tabs.tsx';
import type { Acting } from './use-act.ts';

const names = ['results', 'request', 'jobs', 'webhook'] as const;

export function Sides({
  batch,
  tab,
  onTab,
  pulse,
  acting,
  children,
}: {
  batch: Batch;
  /** The tab that the address names. */
  tab: string | null;
  onTab: (tab: string) => void;
  pulse: number;
  acting: Acting;
  /** The results. */
  children: ReactNode;
}) {
  const jobs = batch.providerBatches.length;
  return (
    <Tabs.Root
      value={names.find((name) => name === tab) ?? 'results'}
      onValueChange={(next) => onTab(String(next))}
    >
      <Tabs.List className="tabs" aria-label="Sides of the batch">
        <Tabs.Tab value="results">Results</Tabs.Tab>
        <Tabs.Tab value="request">Request</Tabs.Tab>
        <Tabs.Tab value="jobs">Jobs {jobs > 0 && <small>{count(jobs)}</small>}</Tabs.Tab>
        <Tabs.Tab value="webhook">Webhook</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="results" className="side-panel">
        {children}
      </Tabs.Panel>
      <Tabs.Panel value="request" className="side-panel">
        <RequestTab batch={batch} />
      </Tabs.Panel>
      <Tabs.Panel value="jobs" className="side-panel">
        <JobsTab batch={batch} pulse={pulse} />
      </Tabs.Panel>
      <Tabs.Panel value="webhook" className="side-panel">
        <WebhookTab batch={batch} pulse={pulse} acting={acting} />
      </Tabs.Panel>
    </Tabs.Root>
  );
}
