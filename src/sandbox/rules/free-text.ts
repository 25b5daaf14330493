/** Answers without a schema. Where rules cannot do what is asked, the answer says so. */
import type { Found, PromptContext } from './node.ts';
import { closestSentence, sentencesOf, summarize } from './sentences.ts';
import { readLimit } from './text.ts';

const cannot = (what: string) => (): Found => ({
  value: `I cannot ${what}: I am the sandbox's rule-based stand-in, not a language model.`,
  score: 1,
});

/** Tasks by the words that ask for them, in order. */
const tasks: readonly (readonly [RegExp, (text: string, context: PromptContext) => Found])[] = [
  [/\bsummar/i, (text, { sentences }) => ({ value: summarize(text, sentences), score: 0.6 })],
  [/\btranslat/i, cannot('translate')],
  [/\b(?:(?:re)?write|compose|draft|rephrase|paraphrase|proofread)\b/i, cannot('write text')],
  [/\b(?:classif|categori)/i, cannot('classify without a schema')],
  [/\bupper ?-?case\b/i, (text) => ({ value: text.toUpperCase(), score: 1 })],
  [/\blower ?-?case\b/i, (text) => ({ value: text.toLowerCase(), score: 1 })],
  [/\b(?:repeat|echo)\b/i, (text) => ({ value: text, score: 1 })],
];

/** Answers the task that the instructions ask for, else their question, else the first sentence. */
export function answerFreely(text: string, context: PromptContext): Found {
  const { instructions } = context;
  const task = tasks.find(([shape]) => shape.test(instructions));
  if (task) return task[1](text, context);
  const sentences = sentencesOf(text.slice(0, readLimit));
  if (!instructions && sentences.length === 1 && text.trim().endsWith('?'))
    return cannot('answer that')();
  const closest = instructions.endsWith('?') ? closestSentence(sentences, instructions) : null;
  return closest ?? { value: sentences[0] ?? text.trim(), score: 0.3 };
}
