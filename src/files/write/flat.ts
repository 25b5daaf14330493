/**
 * JSON as we write it ourselves, taken apart without being parsed: an array of texts, an object of
 * texts, numbers and the like, with no space and no backslash in it. Then every quote is one that
 * begins or ends a text. Null for all other JSON, which is for JSON.parse.
 */

/** The texts of `["…","…"]` of so many. */
export function flatTexts(json: string, count: number): string[] | null {
  if (!json.startsWith('["') || !json.endsWith('"]') || json.includes('\\')) return null;
  const texts = json.slice(2, -2).split('","');
  return texts.length === count ? texts : null;
}

/** Text in front of each member of an object with these names in order: `{"a":`, `,"b":`. */
export function memberHeads(names: readonly string[]): string[] {
  return names.map((name, at) => `${at === 0 ? '{' : ','}${JSON.stringify(name)}:`);
}

/**
 * The values of an object with exactly these members: texts as they are, null as nothing, numbers
 * and truth values as they are written.
 */
export function flatMembers(json: string, heads: readonly string[]): string[] | null {
  if (heads.length === 0 || json.includes('\\')) return null;
  const values: string[] = [];
  let at = 0;
  for (const head of heads) {
    if (!json.startsWith(head, at)) return null;
    at += head.length;
    const isText = json[at] === '"';
    const end = isText ? json.indexOf('"', at + 1) : scalarEnd(json, at);
    if (end < 0) return null;
    const value = isText ? json.slice(at + 1, end) : json.slice(at, end);
    values.push(!isText && value === 'null' ? '' : value);
    at = isText ? end + 1 : end;
  }
  return at === json.length - 1 ? values : null;
}

/** -1 without a number, truth value or null. */
function scalarEnd(json: string, start: number): number {
  let end = start;
  for (;;) {
    const code = json.charCodeAt(end);
    const isScalar =
      (code >= 0x30 && code <= 0x39) || // 0 to 9
      (code >= 0x61 && code <= 0x7a) || // a to z
      (code >= 0x2b && code <= 0x2e) || // + , - .
      code === 0x45; // E
    if (!isScalar || code === 0x2c) break;
    end += 1;
  }
  return end > start ? end : -1;
}
