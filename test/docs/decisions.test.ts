/** A decision has a subject, a status and a date, and stands in the list. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = new URL('../../docs/decisions/', import.meta.url);
const list = readFileSync(new URL('README.md', folder), 'utf8');
const pages = readdirSync(folder).filter((name) => name !== 'README.md');

it.each(pages)('%s', (name) => {
  const number = name.slice(0, 3);
  const [title = '', , status = ''] = readFileSync(new URL(name, folder), 'utf8').split('\n');
  const [, state = '', date] =
    /^(Accepted|Replaced by \d{3}), (\d{4}-\d\d-\d\d)\.$/.exec(status) ?? [];

  expect(title).toMatch(new RegExp(`^# ${number}: [A-Z]`));
  expect(date).toBeDefined();
  expect(list).toContain(`| [${title.slice(2)}](${name}) | ${state.toLowerCase()} | ${date} |`);
});
