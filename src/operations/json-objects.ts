/** JSON objects that stand among words. */
import { scalarEnd, stringEnd } from '../core/exact-json.ts';

export interface JsonPiece {
  /** Where it begins in the text. */
  at: number;
  text: string;
}

/**
 * Objects with a fault in them whose end is looked for: each may cost a walk through the whole
 * text.
 */
const maxBroken = 100;

/**
 * The complete objects of a text that stand in no other object or list, first to last. Of what is
 * cut off at the end of the text, or has a fault inside, nothing is taken: a part of it would pass
 * for the whole.
 */
export function completeObjects(text: string): JsonPiece[] {
  const objects: JsonPiece[] = [];
  let broken = 0;
  for (let at = nextOpening(text, 0); at >= 0; ) {
    const { kind, at: end } = walk(text, at);
    if (kind === 'cut') break;
    let next = end;
    if (kind === 'complete') {
      const piece = { at, text: text.slice(at, end) };
      if (text[at] === '{' && isJson(piece.text)) objects.push(piece);
    } else if (/^\{\s*"/.test(text.slice(at, at + 100))) {
      broken += 1;
      if (broken > maxBroken) break;
      next = balancedEnd(text, at) ?? end;
    }
    at = nextOpening(text, next);
  }
  return objects;
}

function nextOpening(text: string, from: number): number {
  const opening = /[{[]/g;
  opening.lastIndex = from;
  return opening.exec(text)?.index ?? -1;
}

const scalar = /^(?:true|false|null|-?\d[\d.eE+-]*)$/;

/**
 * Walks from an opening bracket to the one that closes it (`at` is behind it), to what cannot stand
 * in JSON, or to the end of the text.
 */
function walk(text: string, start: number): { kind: 'complete' | 'broken' | 'cut'; at: number } {
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const character = text[at] as string;
    if (character === '"') {
      const end = stringEnd(text, at);
      if (end === text.length) return { kind: 'cut', at: end };
      at = end;
    } else if ('{}[],: \t\r\n'.includes(character)) {
      if (character === '{' || character === '[') depth += 1;
      if (character === '}' || character === ']') depth -= 1;
      at += 1;
      if (depth === 0) return { kind: 'complete', at };
    } else {
      const end = scalarEnd(text, at);
      if (end === text.length) return { kind: 'cut', at: end };
      if (!scalar.test(text.slice(at, end))) return { kind: 'broken', at };
      at = end;
    }
  }
  return { kind: 'cut', at: text.length };
}

/** Behind the bracket that closes the one at `start`; null where none does. */
function balancedEnd(text: string, start: number): number | null {
  let depth = 0;
  const marks = /["{}[\]]/g;
  marks.lastIndex = start;
  for (let mark = marks.exec(text); mark; mark = marks.exec(text)) {
    if (mark[0] === '"') {
      marks.lastIndex = stringEnd(text, mark.index);
      continue;
    }
    depth += mark[0] === '{' || mark[0] === '[' ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
