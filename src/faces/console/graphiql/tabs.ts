/** The tabs that GraphiQL opens with: a .graphql file each, in the order of their numbers. */
import { readdirSync, readFileSync } from 'node:fs';
import { submitTexts } from './submit-texts.ts';

export interface GraphiQLTab {
  /** Name of the operation, which the page shows as the name of the tab. */
  name: string;
  query: string;
  /** JSON. */
  variables?: string;
  /** Text that the page shows beside an answer that is still empty. */
  hint?: string;
}

const folder = new URL('./tabs/', import.meta.url);
/** A file may begin with a hint and a blank line, which the page does not show in the query. */
const fileParts = /^(?:# hint: (?<hint>[^\n]*)\n\n)?(?<query>.*?^\w+ (?<name>\w+).*)$/ms;
/** Address in the files; a page has its server's address instead. */
const addressInFiles = 'http://localhost:4000';
const variables = new Map([['SubmitBatch', JSON.stringify({ texts: submitTexts }, null, 2)]]);

const tabs: readonly GraphiQLTab[] = readdirSync(folder)
  .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  .map((file) => {
    const { hint, query, name } =
      fileParts.exec(readFileSync(new URL(file, folder), 'utf8'))?.groups ?? {};
    if (!query || !name) throw new Error(`${file} has no named operation`);
    const given = variables.get(name);
    return { name, query, ...(given && { variables: given }), ...(hint && { hint }) };
  });

/** The tabs for a server that clients reach at `address`, which has no trailing slash. */
export function createTabs(address: string): GraphiQLTab[] {
  return tabs.map((tab) => ({ ...tab, query: tab.query.replaceAll(addressInFiles, address) }));
}
