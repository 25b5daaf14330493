/** Categories as people write them: a line each, with commas, from a spreadsheet, with meanings. */

const most = 500;

export interface Categories {
  names: string[];
  /** By name, where a meaning was given. */
  descriptions: Record<string, string>;
  problem: string | null;
}

export function parseCategories(text: string): Categories {
  const parts = text.includes('\n') ? text.split(/[\n\t]/) : text.split(/[,\t]/);
  const names = new Set<string>();
  const descriptions: Record<string, string> = {};
  for (const part of parts) {
    const [, name = '', meaning = ''] = /^([^:]*)(?::\s*(.*))?$/s.exec(part.trim()) ?? [];
    if (name.trim() === '') continue;
    names.add(name.trim());
    if (meaning.trim()) descriptions[name.trim()] = meaning.trim();
  }
  return { names: [...names], descriptions, problem: problemOf(names.size) };
}

function problemOf(count: number): string | null {
  if (count < 2) return 'Give at least two categories';
  return count > most ? `Give at most ${most} categories; these are ${count}` : null;
}
