/** The day on which a text was written, by which "next Friday" is a date. */
import type { z } from 'zod';
import { ItemFailure } from '../core/errors.ts';
import type { PromptItem } from './operation.ts';
import { compileTemplate, type Template, TemplateError } from './template.ts';

export interface ReferenceDate {
  /** The metadata field that has it; null where it is one day for all. */
  readonly field: string | null;
  /** The day in words, "2026-03-04, a Wednesday"; null where each item has its own. */
  readonly day: string | null;
  /** The day of an item. Throws ItemFailure TEMPLATE_FIELD_MISSING without a clear one. */
  dayOf(item: PromptItem): string;
}

/** Null for null. The text has been checked. */
export function readReferenceDate(given: string | null | undefined): ReferenceDate | null {
  if (given == null) return null;
  const day = dayIn(given);
  if (day !== null) return { field: null, day, dayOf: () => day };
  const template = compileTemplate(given);
  const [field = ''] = template.placeholders;
  return {
    field,
    day: null,
    dayOf(item) {
      const written = textOf(template, item);
      const found = written === null ? null : dayIn(written);
      if (found !== null) return found;
      const name = JSON.stringify(field);
      throw new ItemFailure(
        'TEMPLATE_FIELD_MISSING',
        written === null
          ? `The item must have the field ${name}, which referenceDate names.`
          : `The field ${name}, which referenceDate names, must hold one date, best as YYYY-MM-DD.`,
      );
    },
  };
}

/** Null where the item lacks the field. */
function textOf(template: Template, item: PromptItem): string | null {
  try {
    return template.render(item);
  } catch (error) {
    if (error instanceof ItemFailure) return null;
    throw error;
  }
}

/** Adds an issue where a text is neither a date nor one {field}. */
export function checkReferenceDate(given: string, context: z.core.$RefinementCtx): void {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message });
  if (dayIn(given) !== null) return;
  if (!/^\s*\{[^{}]*\}\s*$/.test(given)) {
    refuse('must be a date, YYYY-MM-DD, or {field} for the field of each item that has one');
    return;
  }
  try {
    if (compileTemplate(given).placeholders.length === 0) {
      refuse('must name a metadata field; {content} is the text itself');
    }
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    refuse(error.message);
  }
}

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');

/**
 * The day that a text names: 2026-03-04 with any time behind it, 2026/03/04, 4.3.2026, 4 March
 * 2026, March 4, 2026. 04/03/2026 is one day here and another there, and so none.
 */
function dayIn(text: string): string | null {
  const iso = /^(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:$|[T ]\s*\d{1,2}:)/.exec(text.trim());
  if (iso) return dayOf(Number(iso[1]), Number(iso[3]), Number(iso[4]));
  const dotted = /^(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})(?:$|,? \d{1,2}:)/.exec(text.trim());
  if (dotted) return dayOf(Number(dotted[3]), Number(dotted[2]), Number(dotted[1]));
  const worded =
    /^(?:[a-z]{3,9},? )?(?:(?<day>\d{1,2})(?:st|nd|rd|th)? (?<month>[a-z]{3,9})\.?|(?<monthFirst>[a-z]{3,9})\.? (?<dayLast>\d{1,2})(?:st|nd|rd|th)?),? (?<year>\d{4})(?:$|,? \d{1,2}:)/i.exec(
      text.trim(),
    )?.groups;
  if (!worded) return null;
  const month = (worded.month ?? worded.monthFirst ?? '').slice(0, 3).toLowerCase();
  const day = Number(worded.day ?? worded.dayLast);
  return dayOf(Number(worded.year), months.indexOf(month) + 1, day);
}

const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** With its weekday, which "next Friday" is reckoned by; null for a day that there is not. */
function dayOf(year: number, month: number, day: number): string | null {
  const date = new Date(Date.UTC(year, month - 1, day));
  if (year < 1000 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return `${date.toISOString().slice(0, 10)}, a ${weekdays[date.getUTCDay()]}`;
}
