/** The documents' words on a variable, beside the rule that its value is held to. */
import { z } from 'zod';

/** Words that a rule does not have of itself. */
export interface VariableWords {
  /** Sentences in Markdown; links are relative to docs/reference. */
  meaning: string;
  /** The value in effect without one, where the rule has no default. */
  otherwise?: string;
  /** Allowed values, where the rule has neither words nor bounds. */
  values?: string;
  /** A value, for .env.example. */
  example?: string;
}

/** Variables of one theme. */
export interface VariableGroup {
  title: string;
  /** One sentence or more; empty where the title says all. */
  introduction: string;
  variables: Readonly<Record<string, z.ZodType>>;
}

const wordsOf = z.registry<VariableWords>();

/** A variable: its meaning, its rule, and what else is to be said. */
export function variable<Rule extends z.ZodType>(
  meaning: string,
  rule: Rule,
  more: Omit<VariableWords, 'meaning'> = {},
): Rule {
  const own = rule.clone();
  wordsOf.add(own, { meaning, ...more });
  return own;
}

/** A variable's own words, and those of its rule: texts, empty where there is nothing. */
export interface DescribedVariable {
  name: string;
  meaning: string;
  /** As it would be set. */
  fallback: string;
  otherwise: string;
  values: string;
  example: string;
}

/** All that is known of a variable. Throws where it has no words. */
export function describeVariable(name: string, rule: z.ZodType): DescribedVariable {
  const words = wordsOf.get(rule);
  if (!words) throw new Error(`${name} must be made by variable(), with its meaning`);
  return {
    name,
    meaning: words.meaning,
    fallback: fallbackOf(rule),
    otherwise: words.otherwise ?? '',
    values: words.values ?? valuesOf(name, rule),
    example: words.example ?? '',
  };
}

/** The rule for the text of the environment, without what is made of it. */
function unwrap(rule: z.core.$ZodType): z.core.$ZodType {
  if (rule instanceof z.ZodPipe) return unwrap(rule.in);
  if (rule instanceof z.ZodOptional || rule instanceof z.ZodDefault) return unwrap(rule.unwrap());
  return rule;
}

function fallbackOf(rule: z.core.$ZodType): string {
  if (rule instanceof z.ZodPipe) return fallbackOf(rule.in);
  return rule instanceof z.ZodDefault ? String(rule.def.defaultValue) : '';
}

/** Words to choose from, or bounds. */
function valuesOf(name: string, rule: z.ZodType): string {
  const inner = unwrap(rule);
  if (inner instanceof z.ZodEnum) {
    const words = inner.options.map(String);
    // Each switch takes true, false, 1 and 0 as well as its own two words.
    const shown = words.includes('0')
      ? words.filter((word) => !/\d/.test(word)).slice(0, 2)
      : words;
    return shown.map((word) => `\`${word}\``).join(', ');
  }
  if (!(inner instanceof z.ZodNumber)) return '';
  const [from, to] = [inner.minValue, inner.maxValue].map((bound) =>
    bound?.toLocaleString('en-US'),
  );
  return `${from} to ${to}${unitOf(name)}`;
}

function unitOf(name: string): string {
  const units = { _MS: 'ms', _SECONDS: 's', _DAYS: 'days' };
  const [, unit] = Object.entries(units).find(([end]) => name.endsWith(end)) ?? [];
  return unit ? ` ${unit}` : '';
}
