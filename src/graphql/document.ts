/** The text of a query: what it may look like before anybody looks at what it asks for, and which ones are remembered. */
import { type DocumentNode, GraphQLError, parse, type SelectionSetNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** A document with 10,000 items as literals has fewer. */
const maxTokens = 250_000;
/** As written, fragments once. What a query costs when they are spread is counted by the fields that it reaches. */
const maxSelections = 2_000;

/**
 * Refuses documents that are expensive to even look at. The parser and GraphQL's validation recurse and compare fields with each
 * other, so size and depth are checked before them.
 */
export const limitDocuments: Plugin = {
  onParse({ setParseFn }) {
    setParseFn(parseWithinLimits);
  },
};

function parseWithinLimits(...[source, options]: Parameters<typeof parse>): DocumentNode {
  let document: DocumentNode;
  try {
    document = parse(source, { ...options, maxTokens });
  } catch (error) {
    if (error instanceof RangeError) {
      throw refused('is nested too deeply; large values go into variables');
    }
    // Over HTTP Yoga would add it, over a WebSocket nobody.
    if (error instanceof GraphQLError) error.extensions.code = 'GRAPHQL_PARSE_FAILED';
    throw error;
  }
  let selections = document.definitions.length;
  const count = ({ selections: selected }: SelectionSetNode): void => {
    selections += selected.length;
    for (const selection of selected) {
      if (selection.kind !== 'FragmentSpread') {
        selections += selection.directives?.length ?? 0;
        if (selection.selectionSet) count(selection.selectionSet);
      }
    }
  };
  for (const definition of document.definitions) {
    if ('selectionSet' in definition) count(definition.selectionSet);
    if ('variableDefinitions' in definition)
      selections += definition.variableDefinitions?.length ?? 0;
  }
  if (selections > maxSelections) {
    throw refused(`selects ${selections} fields, ${maxSelections} are allowed`);
  }
  return document;
}

function refused(why: string): GraphQLError {
  return new GraphQLError(`The query ${why}`, { extensions: { code: 'GRAPHQL_PARSE_FAILED' } });
}

/** A document with values written into it comes once, and would only fill the memory. */
const maxRememberedCharacters = 10_000;
const maxRemembered = 1_000;

/** Remembers by text: the longest unused goes first, long texts are not kept at all. */
export function createDocumentCache<Value>() {
  const kept = new Map<string, Value>();
  return {
    get(text: string): Value | undefined {
      const value = kept.get(text);
      if (value !== undefined) {
        kept.delete(text);
        kept.set(text, value);
      }
      return value;
    },
    set(text: string, value: Value): void {
      if (text.length > maxRememberedCharacters) return;
      kept.set(text, value);
      const [longestUnused] = kept.keys();
      if (kept.size > maxRemembered && longestUnused !== undefined) kept.delete(longestUnused);
    },
  };
}
