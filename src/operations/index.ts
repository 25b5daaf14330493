/** The registry: GraphQL, batches, output and the contract suite follow from it. A new operation is one line here. */
import { chat } from './chat.ts';
import { enrich } from './enrich.ts';
import { extract } from './extract.ts';
import { label } from './label.ts';
import type { Operation } from './operation.ts';
import { run } from './run.ts';
import { summarize } from './summarize.ts';

/** Every operation, in the order in which they are shown. */
export const operations: readonly Operation[] = [label, extract, summarize, enrich, run, chat];

/** The operation of a name in lower case; undefined when there is none. */
export function findOperation(name: string): Operation | undefined {
  return operations.find((operation) => operation.name === name);
}
