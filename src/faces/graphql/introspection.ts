/**
 * Cost of the parts of a query that ask about the schema itself. Pothos does not count these: lists
 * in lists, any number of times by aliases.
 */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  getIntrospectionQuery,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';

/** With fragments spread. The introspection query of graphql-js with all of its options has 200. */
export const maxSelections = 1_000;
/** Limit as a multiple of the cost of the whole introspection query, which nobody needs twice. */
const maxShare = 2;

/** Approximate lengths of the lists of the introspection types. */
const sizes = new Map([
  ['types', 150],
  ['fields', 10],
  ['inputFields', 10],
  ['args', 3],
  ['enumValues', 8],
  ['possibleTypes', 5],
  ['directives', 8],
  ['locations', 5],
]);

interface Weight {
  selections: number;
  /** Values in the answer, about. */
  cost: number;
}

/** Why the document asks too much below `__schema` and `__type`. Null for what tools need. */
export function introspectionProblem(document: DocumentNode): string | null {
  const { selections, cost } = weightOf(document);
  if (selections > maxSelections) {
    return `must select at most ${maxSelections} fields of the schema, not ${describe(selections)}`;
  }
  return cost > whole.cost * maxShare
    ? 'must not ask for more than twice the whole schema; ask for the schema in parts'
    : null;
}

function describe(count: number): string {
  return count < 1e9 ? count.toLocaleString('en') : 'billions';
}

function weightOf(document: DocumentNode): Weight {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  /**
   * Each fragment is weighed once, in and outside of an introspection. One that spreads itself,
   * which validation refuses, weighs nothing there.
   */
  const known = new Map<string, Weight>();

  function ofFragment(name: string, inside: boolean): Weight {
    const key = `${inside} ${name}`;
    const found = known.get(key);
    if (found) return found;
    known.set(key, { selections: 0, cost: 0 });
    const weight = ofSelections(fragments.get(name)?.selectionSet, inside);
    known.set(key, weight);
    return weight;
  }

  function ofSelections(set: SelectionSetNode | undefined, inside: boolean): Weight {
    const sum: Weight = { selections: 0, cost: 0 };
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        add(sum, ofFragment(selection.name.value, inside), 1);
        continue;
      }
      const name = selection.kind === Kind.FIELD ? selection.name.value : null;
      const isInside = inside || name === '__schema' || name === '__type';
      const own = isInside ? 1 : 0;
      add(sum, { selections: own, cost: own }, 1);
      const size = isInside && name !== null ? (sizes.get(name) ?? 1) : 1;
      add(sum, ofSelections(selection.selectionSet, isInside), size);
    }
    return sum;
  }

  const sum: Weight = { selections: 0, cost: 0 };
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) {
      add(sum, ofSelections(definition.selectionSet, false), 1);
    }
  }
  return sum;
}

function add(sum: Weight, { selections, cost }: Weight, times: number): void {
  sum.selections += selections;
  sum.cost += cost * times;
}

const whole = weightOf(
  parse(
    getIntrospectionQuery({
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    }),
  ),
);
