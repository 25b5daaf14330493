/** The demo's questions, as a file that the form for a new batch can begin with. */
import categories from '../../../demo/data/banking77_categories.json' with { type: 'json' };
import address from '../../../demo/data/banking77_test.csv';
import type { Beginning } from '../../data/beginning.ts';

/** Throws where the server does not give the file. */
export async function demoBeginning(): Promise<Beginning> {
  const answer = await fetch(new URL(address, import.meta.url));
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  const file = new File([await answer.blob()], 'banking questions.csv', { type: 'text/csv' });
  return { file, categories };
}
