/** Limits on the text of a query before its execution, and the cache of parsed queries. */
import {
  type DocumentNode,
  GraphQLError,
  Lexer,
  parse,
  type SelectionSetNode,
  Source,
  TokenKind,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { createRecent, type Recent } from '../../core/recent.ts';
import { asTooCostly } from './cost.ts';
import { introspectionProblem } from './introspection.ts';

/** Length of a query's text. Values belong into variables, which are not parsed as a query. */
export const maxCharacters = 1_000_000;
export const maxTokens = 20_000;
/** Comments are not tokens, but take as much memory. */
export const maxComments = 20_000;
/** An error quotes a name as often as it is used wrongly. */
export const maxNameCharacters = 1_000;
/** Shorter texts can hold nothing of which there is too much. */
const minCharactersToCount = 2 * maxNameCharacters;
/** Selections as written, each fragment once: cost.ts counts the fields that a query reaches. */
export const maxSelections = 2_000;

/**
 * Refuses documents that are expensive to validate. The parser and GraphQL's validation recurse and
 * compare fields with each other, so size and depth are checked first.
 */
export const limitDocuments: Plugin = {
  onParse({ setParseFn }) {
    setParseFn(parseWithinLimits);
  },
};

function parseWithinLimits(...[source, options]: Parameters<typeof parse>): DocumentNode {
  let document: DocumentNode;
  try {
    checkTokens(typeof source === 'string' ? source : source.body);
    document = parse(source, options);
  } catch (error) {
    if (error instanceof RangeError) {
      throw refused('must not be nested so deeply; put large values into variables');
    }
    // Over HTTP Yoga would add it, over a WebSocket nobody.
    if (error instanceof GraphQLError) error.extensions.code ??= 'GRAPHQL_PARSE_FAILED';
    throw error;
  }
  const problem = introspectionProblem(document);
  if (problem !== null) throw tooLarge(problem);
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
    throw refused(`must select at most ${maxSelections} fields, not ${selections}`);
  }
  return document;
}

function checkTokens(text: string): void {
  if (text.length < minCharactersToCount) return;
  if (text.length > maxCharacters) {
    throw tooLarge(
      `must have at most ${maxCharacters.toLocaleString('en')} characters, not ${text.length.toLocaleString('en')}; put values into variables`,
    );
  }
  // Some of these may stand in strings, whose place is in variables too.
  let comments = 0;
  for (let at = text.indexOf('#'); at !== -1; at = text.indexOf('#', at + 1)) comments += 1;
  if (comments > maxComments) {
    throw tooLarge(
      `must have at most ${maxComments.toLocaleString('en')} comments, not ${comments.toLocaleString('en')}; leave comments out, and put values into variables`,
    );
  }
  const lexer = new Lexer(new Source(text));
  let tokens = 0;
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
    tokens += 1;
    if (tokens > maxTokens) {
      throw tooLarge(
        `must have at most ${maxTokens.toLocaleString('en')} words and signs; put values into variables`,
      );
    }
    if (token.kind === TokenKind.NAME && token.value.length > maxNameCharacters) {
      throw tooLarge(
        `must have names of at most ${maxNameCharacters.toLocaleString('en')} characters, not ${token.value.length.toLocaleString('en')}`,
      );
    }
  }
}

function tooLarge(what: string): GraphQLError {
  const message = `The query ${what}`;
  const extensions = { code: 'BAD_USER_INPUT', issues: [{ path: 'query', message: what }] };
  return asTooCostly(new GraphQLError(message, { extensions }));
}

function refused(why: string): GraphQLError {
  const extensions = { code: 'GRAPHQL_PARSE_FAILED' };
  return asTooCostly(new GraphQLError(`The query ${why}`, { extensions }));
}

/** A document with values written into it comes once, and would only fill the memory. */
const maxRememberedCharacters = 10_000;
/** Length of all remembered texts. Parsed, a character takes some 130 bytes: 16 MB in all. */
const maxCharactersInAll = 120_000;

/** Remembers by text. Long texts are not kept at all. */
export function createDocumentCache<Value>(): Recent<Value> {
  const kept = createRecent<Value>(maxCharactersInAll, { weightOf: (text) => text.length });
  return {
    get: kept.get,
    set(text, value) {
      if (text.length <= maxRememberedCharacters) kept.set(text, value);
    },
  };
}
