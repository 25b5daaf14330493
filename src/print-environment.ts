/**
 * Writes the variables of config.ts to .env.example, and to the tables of
 * docs/reference/environment.md. With --check it fails where one of them is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type DescribedVariable, describeVariable, type VariableGroup } from './config/variable.ts';
import { variableGroups, variableNames } from './config.ts';

const exampleFile = '.env.example';
const pageFile = 'docs/reference/environment.md';
const maxColumns = 100;

const begin =
  '<!-- Tables of variables. Printed by `npm run schema` from src/config; do not edit. -->';
const end = '<!-- End of the tables of variables. -->';

const exampleHead = `# Every variable that Winnow reads, with its default. All are optional. Copy to .env, which
# \`npm start\` reads unless NODE_ENV is production. Printed by \`npm run schema\` from src/config;
# docs/reference/environment.md has more on each.

# A variable with a secret may be given as a file: NAME_FILE has the path of one with its value.
`;

function describe({ variables }: VariableGroup): DescribedVariable[] {
  return Object.entries(variables).map(([name, rule]) => describeVariable(name, rule));
}

/** Throws where a variable is read that no document would name. */
function checkGroups(): void {
  const grouped = variableGroups.flatMap(({ variables }) => Object.keys(variables));
  for (const name of variableNames) {
    if (!grouped.includes(name))
      throw new Error(`${name} must be in variableGroups of src/config.ts`);
  }
}

/** The page with its tables as the variables are. What stands around them is written by hand. */
function printPage(page: string): string {
  const [before, after] = [page.indexOf(begin), page.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${pageFile} must have ${begin} and ${end}`);
  const tables = variableGroups.map((group) => {
    const rows = describe(group).map((one) => printRow(one, page));
    const introduction = group.introduction === '' ? [] : [wrap(group.introduction, ''), ''];
    return [
      `## ${group.title}\n`,
      ...introduction,
      '| variable | default | values | meaning |\n|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `${page.slice(0, before)}${begin}\n\n${tables.join('\n\n')}\n\n${page.slice(after)}`;
}

function printRow({ name, fallback, otherwise, values, meaning }: DescribedVariable, page: string) {
  // A variable with a section of its own leads there.
  const more = page.includes(`\n## \`${name}\`\n`) ? ` [More](#${name.toLowerCase()}).` : '';
  return `| \`${name}\` | ${fallback || otherwise} | ${values} | ${meaning}${more} |`;
}

function printExample(): string {
  const groups = variableGroups.map((group) => {
    const title = wrap(`--- ${group.title}. ${group.introduction}`, '# ');
    return [title, ...describe(group).map(printAssignment)].join('\n');
  });
  return `${exampleHead}\n${groups.join('\n\n')}\n`;
}

function printAssignment({ name, ...words }: DescribedVariable): string {
  const { fallback, otherwise, values, meaning, example } = words;
  const sentences = [
    meaning,
    values === '' ? '' : `(${values})`,
    otherwise === '' ? '' : `Absent: ${otherwise}.`,
  ];
  const comment = [sentences.filter(Boolean).join(' '), example].filter(Boolean);
  return [...comment.map((text) => wrap(text, '# ')), `${name}=${fallback}`].join('\n');
}

/** A text in lines, each behind `prefix`. In a comment, links are names of pages. */
function wrap(markdown: string, prefix: string): string {
  const text = prefix === '' ? markdown : withoutLinks(markdown);
  const lines: string[] = [];
  for (const word of text.trim().split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || `${last} ${word}`.length > maxColumns) lines.push(`${prefix}${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

function withoutLinks(markdown: string): string {
  return markdown
    .replace(/\[[^\]]+\]\(\.\.\/([^)#]+)[^)]*\)/g, 'docs/$1')
    .replace(/\[([^\]]+)\]\(#[^)]*\)/g, `"$1" of ${pageFile}`);
}

checkGroups();
for (const [path, print] of [
  [exampleFile, printExample],
  [pageFile, printPage],
] as const) {
  const file = new URL(`../${path}`, import.meta.url);
  const was = readFileSync(file, 'utf8');
  const text = print(was);
  if (was === text) continue;
  if (process.argv.includes('--check')) {
    process.stderr.write(`${path} is not what src/config says: npm run schema\n`);
    process.exitCode = 1;
  } else writeFileSync(file, text);
}
