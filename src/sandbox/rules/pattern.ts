/** Strings for a schema's `pattern`: checks candidates, and makes a short string where no candidate fits. */

/**
 * The pattern as a RegExp, or null where it could crawl: a quantified group may backtrack without end, and a schema comes
 * from outside.
 */
export function safePattern(source: string): RegExp | null {
  if (source.length > 300 || /\)[*+{]/.test(source) || /\\[1-9k]/.test(source)) return null;
  try {
    return new RegExp(source, 'u');
  } catch {
    return null;
  }
}

/** A shortest string for simple patterns (literals, classes, groups, quantifiers); null for look-arounds and the like. */
export function exampleOf(source: string): string | null {
  let at = 0;
  try {
    const made = alternatives();
    return at === source.length ? made : null;
  } catch {
    return null;
  }

  function alternatives(): string {
    const first = sequence();
    while (source[at] === '|') {
      at++;
      sequence();
    }
    return first;
  }

  function sequence(): string {
    let made = '';
    while (at < source.length && source[at] !== '|' && source[at] !== ')') {
      const one = atom();
      const least = quantifier();
      if (least * one.length > 10_000) throw new Error('too long');
      made += one.repeat(least);
    }
    return made;
  }

  function atom(): string {
    const sign = source[at++] as string;
    if (sign === '^' || sign === '$') return '';
    if (sign === '.') return 'a';
    if (sign === '[') return oneOf();
    if (sign === '\\') return escaped(source[at++] ?? '');
    if (sign !== '(') return sign;
    if (source[at] === '?') {
      if (source.startsWith('?:', at)) at += 2;
      else if (/^\?<[a-zA-Z]\w*>/.test(source.slice(at, at + 60))) at = source.indexOf('>', at) + 1;
      else throw new Error('unsupported group');
    }
    const made = alternatives();
    if (source[at++] !== ')') throw new Error('open group');
    return made;
  }

  function oneOf(): string {
    const inverted = source[at] === '^';
    if (inverted) at++;
    const start = at;
    let first = '';
    while (at < source.length && (source[at] !== ']' || at === start)) {
      const sign = source[at++] as string;
      const made = sign === '\\' ? escaped(source[at++] ?? '') : sign;
      first ||= made;
    }
    const members = source.slice(start, at);
    at++;
    if (!inverted) return first;
    const free = [...'aA0_ -'].find((sign) => new RegExp(`[^${members}]`, 'u').test(sign));
    if (!free) throw new Error('nothing left');
    return free;
  }

  function quantifier(): number {
    const rest = /^(?:\*|\+|\?|\{(\d+)(?:,\d*)?\})\??/.exec(source.slice(at, at + 20));
    if (!rest) return 1;
    at += rest[0].length;
    return rest[1] !== undefined ? Number(rest[1]) : rest[0].startsWith('+') ? 1 : 0;
  }
}

function escaped(sign: string): string {
  if (sign === 'd') return '0';
  if (sign === 'w') return 'a';
  if (sign === 's') return ' ';
  if (sign === 'D' || sign === 'S') return 'a';
  if (sign === 'W') return '-';
  if (sign === 'b' || sign === 'B') return '';
  if (sign === 'n') return '\n';
  if (sign === 't') return '\t';
  if (/[a-zA-Z0-9]/.test(sign)) throw new Error('unsupported escape');
  return sign;
}
