/**
 * Answers without a schema: finds in the instructions which common task is meant. What rules cannot do they say, in a
 * sentence, rather than make something up.
 */
import { compileChoice } from './choose.ts';
import { createItem, type Item } from './item.ts';
import { keywordsOf } from './keywords.ts';
import { guessLanguage } from './language.ts';
import type { PromptContext } from './node.ts';
import { listedNames, statedOptions } from './prompt.ts';
import { closestSentence } from './sentences.ts';
import { summarize } from './summary.ts';
import { terms } from './text.ts';

export interface FreeAnswer {
  text: string;
  score: number;
}

export type FreeTask = (item: Item, full: string) => FreeAnswer;

const standIn = "the sandbox's rule-based stand-in, not a language model";

function cannot(what: string): FreeTask {
  const text = `I cannot ${what}: I am ${standIn}.`;
  return () => ({ text, score: 1 });
}

/** The task that instructions ask for; null where they ask for none that is known. */
export function compileFreeTask(instructions: string, context: PromptContext): FreeTask | null {
  const asked = instructions.slice(0, 8_000).toLowerCase();
  const says = (shape: RegExp): boolean => shape.test(asked);

  if (says(/\btranslat(?:e|ion|ing)\b/)) return cannot('translate');
  if (
    says(
      /\b(?:write|compose|draft|generate|create) (?:a|an|me|some|the)\b.{0,40}\b(?:poem|story|essay|e-?mail|letter|reply|response|song|code|script|joke|tweet|post|article|slogan|headline)\b/,
    )
  )
    return cannot('write new text');
  if (says(/\b(?:rewrite|rephrase|paraphrase|proofread|correct the grammar|fix the grammar)\b/))
    return cannot('rewrite text');
  if (says(/\bupper ?-?case|\ball caps\b|\bcapital letters\b/))
    return (_, full) => exact(full.toUpperCase());
  if (says(/\blower ?-?case/)) return (_, full) => exact(full.toLowerCase());
  if (says(/\b(?:count|number of|how many) (?:the )?(?:number of )?words?\b|\bword count\b/))
    return (_, full) => exact(String(wordCount(full)));
  if (says(/\b(?:count|number of|how many) (?:the )?(?:number of )?(?:characters?|letters?)\b/))
    return (_, full) => exact(String([...full].length));
  if (says(/\b(?:repeat|echo)\b/)) return (_, full) => exact(full);

  const options = says(
    /\bclassif|\bcategor|\blabel|\bwhich of|\bone of|\bsentiment\b|\beither\b|\banswer (?:only )?(?:with )?(?:yes|true)\b|\brespond with (?:only )?(?:yes|true)\b/,
  )
    ? statedOptions(instructions)
    : [];
  if (options.length >= 2) return choice(options, instructions, context);
  if (says(/\bsentiment\b/))
    return choice(['positive', 'negative', 'neutral'], instructions, context);
  if (says(/\b(?:what|which|detect|identify)\b.{0,20}\blanguage\b/)) {
    return ({ text }) => ({
      text: guessLanguage(text)?.name ?? 'unknown',
      score: guessLanguage(text)?.score ?? 0.1,
    });
  }
  if (says(/\bsummar|\btl;?dr\b|\bshorten\b|\bin short\b|\bcondense\b/))
    return (item) => ({ text: summarize(item, context.summary), score: 0.6 });
  if (says(/\bkey ?words?\b|\btags?\b|\bkey ?phrases\b/)) {
    const limit = Number(/\b(\d{1,2}) (?:\w+ )?(?:key ?words?|tags?)/.exec(asked)?.[1] ?? 5);
    return (item) => ({ text: keywordsOf(item, limit).join(', '), score: 0.6 });
  }
  const names = says(/\bextract\b|\bfind\b/) ? listedNames(instructions) : [];
  const question = questionOf(instructions);
  if (question) return answerFrom(question);
  if (names.length > 0) return answerFrom(names.join(' ').replace(/_/g, ' '));
  return null;
}

/** What is left where no task is understood: the leading sentence. */
export const leadingSentence: FreeTask = (item, full) => ({
  text: item.sentences[0] ?? full.trim(),
  score: 0.3,
});

/** For chats without a system message: "Classify as spam or ham: WIN A PRIZE" is both the task and its text. */
export function splitTask(text: string): { instructions: string; text: string } {
  const at = text.slice(0, 2_000).search(/:\s|\n/);
  const rest = at > 3 ? text.slice(at + 1).trim() : '';
  if (rest) return { instructions: text.slice(0, at + 1), text: unquoted(rest) };
  return { instructions: text, text };
}

function unquoted(text: string): string {
  return /^"[^"]*"$/.test(text) && text.length > 2 ? text.slice(1, -1) : text;
}

function exact(text: string): FreeAnswer {
  return { text, score: 1 };
}

function wordCount(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}

function choice(options: string[], instructions: string, context: PromptContext): FreeTask {
  const choose = compileChoice(options, {
    descriptions: context.descriptions,
    examples: context.examples.map(({ text, answer }) => ({ text, labels: [answer.trim()] })),
    question: context.instructions || instructions,
  });
  return (item) => {
    const { best, confidences } = choose(item);
    return { text: options[best] ?? '', score: confidences[best] ?? 0 };
  };
}

function questionOf(instructions: string): string | null {
  const text = instructions.slice(0, 8_000);
  const sentence = text.match(/[^.!?\n]{3,300}\?/)?.[0] ?? null;
  if (sentence) return sentence;
  return /\banswer (?:the|this|my|from|based)\b/i.test(text) ? text : null;
}

function answerFrom(question: string): FreeTask {
  const asked = terms(question);
  return (item) => {
    const close = closestSentence(item.sentences, asked);
    return close
      ? { text: close.sentence, score: 0.3 + close.score / 2 }
      : { text: item.sentences[0] ?? '', score: 0.2 };
  };
}

/** A question put by the item itself, with nothing to look it up in. */
export function answerBareQuestion(text: string): FreeAnswer {
  const item = createItem(text);
  const context = item.sentences.filter((sentence) => !sentence.endsWith('?'));
  const question = item.sentences.find((sentence) => sentence.endsWith('?'));
  const close = question ? closestSentence(context, terms(question)) : null;
  if (close) return { text: close.sentence, score: 0.3 + close.score / 2 };
  return { text: `I cannot answer that: I am ${standIn}.`, score: 1 };
}
