/** What GraphiQL opens with: one tab an idea, each of which runs as it is, in this order. */
import { download, files, requests } from './graphiql-files.ts';
import { atTheProvider, halfPrice } from './graphiql-lanes.ts';
import { label, live, results, submit, welcome } from './graphiql-tour.ts';
import { error, retry } from './graphiql-troubles.ts';

export const graphiqlTabs = [
  welcome,
  label,
  submit,
  live,
  results,
  files,
  requests,
  halfPrice,
  atTheProvider,
  download,
  retry,
  error,
].map((query) => ({ query }));
