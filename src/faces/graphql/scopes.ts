/**
 * Scopes of the fields of Query, Mutation and Subscription. A field with the extension `scope`
 * needs that one; any other needs SUBMIT where it changes something, else READ. So a new mutation
 * cannot be forgotten.
 */
import { defaultFieldResolver, type GraphQLField, type GraphQLSchema } from 'graphql';
import type { Scope } from '../../core/scopes.ts';
import { requireScope } from '../http/auth.ts';
import type { Context } from './context.ts';

/** Extensions of a field that only a key with ADMIN may ask for. */
export const forAdmin = { scope: 'ADMIN' } satisfies { scope: Scope };

/** Has every field of the three roots look at the scopes of its caller before anything else. */
export function guardRoots(schema: GraphQLSchema): GraphQLSchema {
  const roots = [
    { type: schema.getQueryType(), scope: 'READ' },
    { type: schema.getMutationType(), scope: 'SUBMIT' },
    { type: schema.getSubscriptionType(), scope: 'READ' },
  ] as const;
  for (const { type, scope } of roots) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      guard(field, scopeOf(field) ?? scope);
    }
  }
  return schema;
}

function scopeOf({ extensions }: GraphQLField<unknown, Context>): Scope | undefined {
  return (extensions as { scope?: Scope }).scope;
}

function guard(field: GraphQLField<unknown, Context>, scope: Scope): void {
  const { resolve = defaultFieldResolver, subscribe } = field;
  const check = (context: Context) => {
    try {
      requireScope(context, scope);
    } catch (error) {
      context.events.emit('request.refused', { reason: 'scope', owner: context.owner });
      throw error;
    }
  };
  // The events of a subscription are let through: its start had the scope.
  if (subscribe) {
    field.subscribe = (root, args, context, info) => {
      check(context);
      return subscribe(root, args, context, info);
    };
    return;
  }
  field.resolve = (root, args, context, info) => {
    check(context);
    return resolve(root, args, context, info);
  };
}
