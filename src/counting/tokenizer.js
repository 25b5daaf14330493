/** Counts the tokens of texts by byte pair encoding. */
import { noRank } from './vocabulary.js';

/**
 * Time grows with the square of a run's length: of a longer one, slices of this many characters are
 * counted.
 */
const longestRun = 1_000;
/** Words come again and again: those of a language, and those of a prompt. */
const keptPieces = 20_000;
const longestKept = 50;

/**
 * @typedef {object} Tokenizer
 * @property {(text: string, isLate: () => boolean) => number} count The tokens of a text. Where it
 *   gets late, those of what was counted, scaled to the whole text.
 */

/**
 * @param {import('./vocabulary.js').Vocabulary} vocabulary
 * @returns {Tokenizer}
 */
export function createTokenizer({ pattern, rankOf }) {
  /** @type {Map<string, number>} */
  const kept = new Map();
  const countBytes = createMerger(rankOf);

  /** @param {string} piece */
  function countPiece(piece) {
    const known = kept.get(piece);
    if (known !== undefined) return known;
    const tokens = countBytes(piece);
    if (piece.length > longestKept) return tokens;
    if (kept.size >= keptPieces) kept.clear();
    kept.set(piece, tokens);
    return tokens;
  }

  /** @param {string} slice */
  function countSlice(slice) {
    let tokens = 0;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(slice); match !== null; match = pattern.exec(slice)) {
      tokens += countPiece(match[0]);
    }
    return tokens;
  }

  return {
    count(text, isLate) {
      let tokens = 0;
      let counted = 0;
      for (const end of sliceEnds(text)) {
        if (counted > 0 && isLate()) return Math.round((tokens * text.length) / counted);
        tokens += countSlice(text.slice(counted, end));
        counted = end;
      }
      return tokens;
    },
  };
}

/**
 * Where a text is cut: after each `longestRun` characters of a run that has no boundary of white
 * space, or is nothing but white space; and at its end.
 *
 * @param {string} text
 * @returns {number[]}
 */
function sliceEnds(text) {
  /** @type {number[]} */
  const ends = [];
  let begin = 0;
  let wasBlank = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const blank = isBlank(code);
    if (blank !== wasBlank) {
      begin = at;
      wasBlank = blank;
    } else if (at - begin >= longestRun && !isSecondHalf(code)) {
      begin = at;
      ends.push(at);
    }
  }
  ends.push(text.length);
  return ends;
}

/** @param {number} code */
function isBlank(code) {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return code >= 0xa0 && /\s/.test(String.fromCharCode(code));
}

/**
 * True of the second code unit of a character that has two.
 *
 * @param {number} code
 */
function isSecondHalf(code) {
  return code >= 0xdc00 && code <= 0xdfff;
}

/**
 * Counts the tokens that the bytes of a piece are merged to.
 *
 * @param {import('./vocabulary.js').Vocabulary['rankOf']} rankOf
 * @returns {(piece: string) => number}
 */
function createMerger(rankOf) {
  const encoder = new TextEncoder();
  let bytes = new Uint8Array(3 * longestRun);
  /** Where each part begins; behind the last one, where that ends. */
  let begins = new Uint32Array(bytes.length + 1);
  /** The rank of each part together with the next one. */
  let ranks = new Uint32Array(bytes.length + 1);

  return (piece) => {
    if (piece.length * 3 > bytes.length) {
      bytes = new Uint8Array(piece.length * 3);
      begins = new Uint32Array(bytes.length + 1);
      ranks = new Uint32Array(bytes.length + 1);
    }
    const { written: length } = encoder.encodeInto(piece, bytes);
    if (length < 2 || rankOf(bytes, 0, length) !== noRank) return length === 0 ? 0 : 1;
    let parts = length;
    for (let at = 0; at <= length; at += 1) begins[at] = at;
    for (let at = 0; at < parts; at += 1) ranks[at] = rankOfPair(at);
    for (;;) {
      let least = noRank;
      let place = 0;
      for (let at = 0; at < parts - 1; at += 1) {
        const rank = Number(ranks[at]);
        if (rank < least) {
          least = rank;
          place = at;
        }
      }
      if (least === noRank) return parts;
      begins.copyWithin(place + 1, place + 2, parts + 1);
      ranks.copyWithin(place + 1, place + 2, parts);
      parts -= 1;
      ranks[place] = rankOfPair(place);
      if (place > 0) ranks[place - 1] = rankOfPair(place - 1);
    }

    /** @param {number} at */
    function rankOfPair(at) {
      return at + 2 > parts ? noRank : rankOf(bytes, Number(begins[at]), Number(begins[at + 2]));
    }
  };
}
