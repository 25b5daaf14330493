/** Categories as people write them: a line each, with commas, from a spreadsheet, with meanings. */

const most = 500;

export interface Categories {
  names: string[];
  /** By name, where a meaning was given. */
  descriptions: Record<string, string>;
  problem: string | null;
}

/** A name in quotation marks, as spreadsheets write them too, may hold what parts others. */
const quoted = /^\s*"((?:[^"]|"")*)"\s*(?::\s*(.*))?$/s;
const plain = /^([^:]*)(?::\s*(.*))?$/s;

export function parseCategories(text: string): Categories {
  const names = new Set<string>();
  const descriptions: Record<string, string> = {};
  for (const part of partsOf(text)) {
    const [, inQuotes, its] = quoted.exec(part) ?? [];
    const [, bare = '', bareMeaning] =
      inQuotes === undefined ? (plain.exec(part.trim()) ?? []) : [];
    const name = (inQuotes?.replaceAll('""', '"') ?? bare).trim();
    const meaning = (its ?? bareMeaning ?? '').trim();
    if (name === '') continue;
    names.add(name);
    if (meaning) descriptions[name] = meaning;
  }
  return { names: [...names], descriptions, problem: problemOf(names.size) };
}

/** As `parseCategories` reads them, a line each. */
export function writeCategories(
  names: readonly string[],
  meanings: Readonly<Record<string, string>>,
): string {
  const lines = names.map((name) => {
    const written = /[":\n\t]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
    const meaning = Object.hasOwn(meanings, name) ? meanings[name]?.replaceAll(/\s+/g, ' ') : '';
    return meaning ? `${written}: ${meaning}` : written;
  });
  return lines.join('\n');
}

/** Parted by lines where there are several, else by commas; quotation marks keep a name whole. */
function partsOf(text: string): readonly string[] {
  const isList = text
    .replaceAll(/(^|[,\n\t]) *"(?:[^"]|"")*"/g, '$1name')
    .trim()
    .includes('\n');
  const part = isList ? /\s*"(?:[^"]|"")*"[^\n\t]*|[^\n\t]+/g : /\s*"(?:[^"]|"")*"[^,\t]*|[^,\t]+/g;
  return text.match(part) ?? [];
}

function problemOf(count: number): string | null {
  if (count < 2) return 'Give at least two categories';
  return count > most ? `Give at most ${most} categories; these are ${count}` : null;
}
