/** The names that instructions give to fields: "Extract: person_name, title (as written)". */

export interface NamedField {
  name: string;
  /** Text in brackets after the name, or after a colon on a line of its own. */
  description: string | null;
}

/** A longer list does not name fields. */
const maxNames = 200;
/**
 * Lists are looked for behind so many colons, each so far: instructions may have a million
 * characters.
 */
const maxColons = 100;
const maxReach = 5_000;

const name = '["\'`*]*(?<name>[\\p{L}_][\\p{L}\\p{N}_-]{0,63})["\'`*]*';
const remark = '(?:\\s*\\((?<remark>[^()\\n]{1,500})\\))?';
const entry = new RegExp(`^(?:and\\s+|und\\s+)?${name}${remark}$`, 'u');
const line = new RegExp(
  `^\\s*(?<mark>[-*•–]|\\d{1,3}[.)])?\\s*${name}${remark}(?:\\s*(?::|\\s[-–—])\\s+(?<told>\\S.{0,499}))?\\s*[,;.]?$`,
  'u',
);
const marked = /^\s*(?:[-*•–]|\d{1,3}[.)])\s/u;

/** Before a list of anything but fields. */
const ofOthers =
  /\b(?:one of|either|values?|such as|e\.?g|for example|examples?|allowed|options?|categor\w+|labels?|formats?|languages?|styles?|tones?|notes?|unless|not|never|no|ignore|except|without|avoid|skip)\b/i;
const ofFields = /\b(?:fields?|keys?|columns?|attributes?|propert(?:y|ies)|json|extract|return)\b/i;
const ofSomething =
  /\b(?:get|find|pull|collect|give|list|capture|identify|include|following|these|needs?|wants?|names?|output)\b/i;

/**
 * The fields that instructions list behind a colon, with commas or one a line; empty where they
 * list none. `sure`: only where the words before the colon speak of fields.
 */
export function namesIn(instructions: string, { sure = false } = {}): NamedField[] {
  const text = instructions.replaceAll('\r', '').trim();
  let colons = 0;
  for (const { index } of text.matchAll(/:(?=[ \t]|\n|$)/g)) {
    colons += 1;
    if (colons > maxColons) break;
    const before = text.slice(Math.max(0, index - maxReach), index);
    const lead = before.split(/\n|[.!?;]\s/).at(-1) ?? '';
    if (ofOthers.test(lead)) continue;
    const { fields, end } = readList(text.slice(index + 1, index + 1 + maxReach));
    const isAll = lead.length === index && index + 1 + end >= text.length;
    const isMeant =
      ofFields.test(lead) || (!sure && fields.length > 1 && (isAll || ofSomething.test(lead)));
    if (isMeant && fields.length > 0 && fields.length <= maxNames) return fields;
  }
  return [];
}

interface List {
  fields: NamedField[];
  /** Where the list ends in the text behind the colon. */
  end: number;
}

function readList(behind: string): List {
  const [rest = ''] = behind.split('\n', 1);
  if (rest.trim() !== '') return readSentence(behind);
  const lines = readLines(behind.slice(rest.length + 1));
  const start = rest.length + 1;
  if (lines.fields.length > 1) return { fields: lines.fields, end: start + lines.end };
  const sentence = readSentence(behind.slice(start).replace(/^\n/, ''));
  return sentence.fields.length > 0
    ? { fields: sentence.fields, end: start + sentence.end + 1 }
    : { fields: lines.fields, end: start + lines.end };
}

/** Names with commas, up to the end of the sentence; none where anything else is among them. */
function readSentence(behind: string): List {
  const [sentence = ''] = /^(?:\([^()\n]*\)|,\s*\n|[^.\n(]|\.(?!\s|$))*/u.exec(behind) ?? [];
  const entries = sentence
    .split(/[,;](?![^()]*\))/)
    .flatMap((part) => part.trim().split(/\s+(?:and|und|&)\s+(?![^()]*\))/u))
    .filter((part) => part !== '');
  const fields = entries.map((part) => fieldOf(entry.exec(part.trim())));
  const end = sentence.length + (behind[sentence.length] === '.' ? 1 : 0);
  return { fields: allOf(fields), end };
}

/** Names one a line; none where a line with the same mark is something else. */
function readLines(behind: string): List {
  const fields: (NamedField | null)[] = [];
  let end = 0;
  let withMarks: boolean | null = null;
  for (const given of behind.split('\n')) {
    const isMarked = marked.test(given);
    const isBlank = given.trim() === '';
    if (isBlank && fields.length > 0) break;
    if (!isBlank) {
      withMarks ??= isMarked;
      const found = fieldOf(line.exec(given));
      if (isMarked !== withMarks || (!isMarked && !found)) break;
      fields.push(found);
    }
    end += given.length + 1;
  }
  return { fields: allOf(fields), end };
}

function fieldOf(found: RegExpExecArray | null): NamedField | null {
  const groups = found?.groups;
  if (!groups?.name) return null;
  const told = [groups.remark, groups.told].map((words) => words?.trim() ?? '');
  return { name: groups.name, description: told.filter(Boolean).join('; ') || null };
}

/** Each name once. Empty when a part of the list is not a name. */
function allOf(fields: readonly (NamedField | null)[]): NamedField[] {
  const named = new Map<string, NamedField>();
  for (const field of fields) {
    if (field === null || field.name === '__proto__') return [];
    if (!named.has(field.name)) named.set(field.name, field);
  }
  return [...named.values()];
}
