/** What GraphiQL opens with: one tab an idea, each of which runs as it is, in any order. */
import { files, requests } from './tabs-files.ts';
import { halfPrice } from './tabs-lanes.ts';
import { label, live, results, submit, submitTexts, welcome } from './tabs-tour.ts';
import { failures } from './tabs-troubles.ts';

export interface GraphiQLTab {
  /** Of its operation, which is what the page shows for it. */
  name: string;
  query: string;
  /** JSON. */
  variables?: string;
  /** What the page says beside an answer in which there is nothing yet. */
  hint?: string;
}

const submitFirst = 'There is no batch yet. Run the tab SubmitBatch, then this one again.';

/** The tabs for a server that clients reach at `address`, which has no trailing slash. */
export function createTabs(address: string): GraphiQLTab[] {
  return [
    { name: 'Welcome', query: welcome },
    { name: 'LabelTexts', query: label },
    {
      name: 'SubmitBatch',
      query: submit,
      variables: JSON.stringify({ texts: submitTexts }, null, 2),
    },
    {
      name: 'WatchProgress',
      query: live,
      hint: 'Nothing has changed yet. Run the tab SubmitBatch, then this one again.',
    },
    { name: 'Answers', query: results(address), hint: submitFirst },
    {
      name: 'Files',
      query: files(address),
      hint: 'There is no file yet. Upload one with the command above the query, then run this again.',
    },
    { name: 'OwnRequests', query: requests(address) },
    { name: 'HalfPrice', query: halfPrice },
    { name: 'Failures', query: failures, hint: submitFirst },
  ];
}
