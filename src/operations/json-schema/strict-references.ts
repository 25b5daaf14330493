/** References and alternatives in the strict subset: what may stand beside and inside them. */
import { isRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { isAnnotation } from './strict-nodes.ts';
import { followReferences, referencePath } from './subschemas.ts';

/** State of the rewrite of one schema. */
export interface Rewriting {
  readonly root: JsonSchema;
  readonly problems: string[];
  /** References to definitions, in order of use. */
  readonly used: Set<string>;
}

/** Strict mode takes no keyword beside `$ref`, not even a description. */
export function rewriteReference(schema: JsonSchema, { problems, used }: Rewriting): JsonSchema {
  const reference = schema.$ref;
  const path = referencePath(reference) ?? [];
  checkReferenceSiblings(schema, problems);
  if (path.length === 2 && (path[0] === '$defs' || path[0] === 'definitions')) {
    used.add(String(reference));
  } else if (path.length > 0) {
    problems.push('a $ref to other than # and #/$defs/name');
  }
  return { $ref: reference };
}

/** Other than annotations, which are left out. */
export function checkReferenceSiblings(schema: JsonSchema, problems: string[]): void {
  if (!Object.keys(schema).every((key) => key === '$ref' || isAnnotation(key))) {
    problems.push('a $ref with keywords beside it');
  }
}

/** "Objects provided via 'anyOf' must not share identical first keys": these pick the branch. */
export function checkFirstKeys(branches: readonly unknown[], { root, problems }: Rewriting): void {
  const seen = new Set<string>();
  for (const branch of branches.filter(isRecord)) {
    const { properties } = followReferences(root, branch);
    const [first] = isRecord(properties) ? Object.entries(properties) : [];
    if (!first) {
      continue;
    }
    const [key, property] = first;
    const values = isRecord(property) ? (property.enum ?? [property.const]) : [];
    for (const value of [values].flat()) {
      const discriminator = JSON.stringify([key, value]);
      if (seen.has(discriminator) || (seen.has(key) && value === undefined)) {
        problems.push('alternatives that begin with the same key');
      }
      seen.add(discriminator).add(key);
    }
  }
}
