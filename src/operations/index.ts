/** The operations, for GraphQL, batches, outputs and the contract suite. A new one is one line. */
import { chat } from './chat.ts';
import { enrich } from './enrich.ts';
import { extract } from './extract.ts';
import { label } from './label.ts';
import type { Operation } from './operation.ts';
import { run } from './run.ts';
import { summarize } from './summarize.ts';

/** Every operation, in the order in which they are shown. */
export const operations: readonly Operation[] = [label, extract, summarize, enrich, run, chat];

/** Operation by its name in lower case. Undefined for an unknown name. */
export function findOperation(name: string): Operation | undefined {
  return operations.find((operation) => operation.name === name);
}
