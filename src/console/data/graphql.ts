/** Documents with the types of schema.graphql: `graphql('query { … }')` knows its answer. */
import { initGraphQLTada } from 'gql.tada';
import type { introspection } from '../graphql-env.d.ts';

export const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: {
    DateTime: string;
    JSON: unknown;
    JSONObject: Record<string, unknown>;
    SafeInt: number;
  };
}>();

export type { ResultOf, VariablesOf } from 'gql.tada';
