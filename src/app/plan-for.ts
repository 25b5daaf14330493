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
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  let plan: Plan;
  try {
    plan = preparePlan(operation, options, undefined, time);
  } catch (error) {
    if (!(error instanceof BadUserInput)) throw error;
    throw new BadUserInput(error.issues.map((issue) => ({ ...issue, path: at(issue.path) })));
  }
  const issues = [
    ...optionIssues(plan.operation, options, items),
    ...exampleIssues(plan.operation, items),
  ].map((issue) => ({ ...issue, path: at(issue.path) }));
  if (issues.length > 0) throw new BadUserInput(issues.slice(0, maxIssues));
  return plan;
}

/** What options name that no item has, or mean as a placeholder but send as it stands. */
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
