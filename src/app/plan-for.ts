/** Options bound to a model for the items that they are for. */
import { BadUserInput, type InputIssue } from '../core/errors.ts';
import { doubledPlaceholders, fieldsNobodyHas, type Plan } from '../engine/run/plan.ts';
import type { CheckTime } from '../operations/check-time.ts';
import type { PreparedOperation, PromptItem } from '../operations/operation.ts';
import { doubledProblem } from '../operations/params.ts';
import type { Caller } from './caller.ts';

/** Enough to correct options by. */
const maxIssues = 20;

/** Binds checked options to a model. Issues are told at `path`, the options' place in the input. */
export function planFor(
  operation: string,
  options: Record<string, unknown>,
  items: readonly PromptItem[],
  { preparePlan, time }: Pick<Caller, 'preparePlan'> & { time?: CheckTime | undefined },
  path: string,
): Plan {
  let plan: Plan;
  try {
    plan = preparePlan(operation, options, undefined, time);
  } catch (error) {
    if (!(error instanceof BadUserInput)) throw error;
    throw new BadUserInput(issuesAt(path, error));
  }
  const issues = [
    ...optionIssues(plan.operation, options, items),
    ...exampleIssues(plan.operation, items),
  ];
  if (issues.length > 0) throw new BadUserInput(issuesAt(path, { issues }).slice(0, maxIssues));
  return plan;
}

/** Issues of options, at the options' place in the input. */
export function issuesAt(path: string, { issues }: Pick<BadUserInput, 'issues'>): InputIssue[] {
  if (path === '') return [...issues];
  return issues.map((issue) => ({ ...issue, path: `${path}.${issue.path}` }));
}

/**
 * Names in options that no item has, and those that are meant as a placeholder but sent as they
 * stand.
 */
function optionIssues(
  { placeholders, referenceField }: PreparedOperation,
  options: Record<string, unknown>,
  items: readonly PromptItem[],
): InputIssue[] {
  const dateFields = referenceField == null ? [] : [referenceField];
  return [
    ...doubledPlaceholders(options, items).map((text) => ({
      path: 'userPromptTemplate',
      message: doubledProblem(text),
    })),
    ...fieldsNobodyHas(placeholders, items).map((name) => ({
      path: 'userPromptTemplate',
      message: `must name fields of the items, not {${name}}; {content} is the text, and {{ and }} are braces`,
    })),
    ...fieldsNobodyHas(dateFields, items).map((name) => ({
      path: 'referenceDate',
      message: `must name a metadata field of the items, not {${name}}`,
    })),
  ];
}

function exampleIssues(operation: PreparedOperation, [item]: readonly PromptItem[]): InputIssue[] {
  const problems = (item && operation.exampleProblems?.(item)) ?? [];
  return problems.map(({ index, message }) => ({
    path: `examples.${index}.metadata`,
    message: `must fit the options, since examples are shown like items: ${message}`,
  }));
}
