/**
 * The names that a CSV header's cells go by, in prompts and as metadata: an empty one is `column_`
 * and its place (from 1), one that is there already gets `_2`, `_3` and so on. Nothing is trimmed,
 * and `__proto__` is a name like any other. Applied to its own result it changes nothing.
 */
export function columnNames(header: readonly string[]): string[] {
  const given = new Set(header);
  const taken = new Set<string>();
  return header.map((cell, index) => {
    const base = cell === '' ? `column_${index + 1}` : cell;
    let name = base;
    for (let n = 2; taken.has(name) || (name !== cell && given.has(name)); n += 1) {
      name = `${base}_${n}`;
    }
    taken.add(name);
    return name;
  });
}
