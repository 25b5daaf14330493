/** The counter's thread: counts the texts that it is sent, until it is ended. */
import { parentPort } from 'node:worker_threads';
import { createTokenizer } from './tokenizer.js';
import { readVocabulary } from './vocabulary.js';

/**
 * @typedef {object} Job
 * @property {readonly string[]} encodings
 * @property {readonly string[]} texts
 * @property {number} withinMs
 *
 * @typedef {object} Counted
 * @property {number} texts How many of the texts were counted in time, in their order.
 * @property {Record<string, Uint32Array>} tokens Of each text, by encoding.
 */

/** @type {Map<string, import('./tokenizer.js').Tokenizer>} */
const tokenizers = new Map();

/** @param {string} encoding */
function tokenizerOf(encoding) {
  const made = tokenizers.get(encoding) ?? createTokenizer(readVocabulary(encoding));
  tokenizers.set(encoding, made);
  return made;
}

/**
 * @param {Job} job
 * @returns {Counted}
 */
function count({ encodings, texts, withinMs }) {
  const counters = encodings.map((encoding) => ({
    tokenizer: tokenizerOf(encoding),
    tokens: new Uint32Array(texts.length),
  }));
  // Vocabularies are read once; the time is for the texts.
  const endsAt = performance.now() + withinMs;
  const isLate = () => performance.now() >= endsAt;
  let counted = 0;
  // One text at least, so that something is known.
  while (counted < texts.length && (counted === 0 || !isLate())) {
    const text = texts[counted] ?? '';
    for (const { tokenizer, tokens } of counters) tokens[counted] = tokenizer.count(text, isLate);
    counted += 1;
  }
  const byEncoding = encodings.map((encoding, at) => [encoding, counters[at]?.tokens]);
  return { texts: counted, tokens: Object.fromEntries(byEncoding) };
}

parentPort?.on('message', (/** @type {Job} */ job) => parentPort?.postMessage(count(job)));
