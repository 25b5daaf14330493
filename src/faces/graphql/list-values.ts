/**
 * Lists whose length nobody knows before they are there: columns, labels, what was refused of a
 * file. The cost of a query reckons with ten entries; what they really have is counted when they
 * come.
 */
import {
  defaultFieldResolver,
  type FieldNode,
  type GraphQLField,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNullableType,
  isListType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { Context } from './context.ts';

/** Has every list but the pages, whose sizes are part of a query's cost, counted by its request. */
export function countListValues(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      if (isListType(getNullableType(field.type)) && field.name !== 'edges') count(field);
    }
  }
  return schema;
}

function count(field: GraphQLField<unknown, Context>): void {
  const { resolve = defaultFieldResolver } = field;
  field.resolve = (parent, args, context, info) => {
    const counted = (list: unknown) => {
      if (Array.isArray(list)) context.budget.takeListValues(list.length * valuesOfOne(info));
      return list;
    };
    const list = resolve(parent, args, context, info);
    return list instanceof Promise ? list.then(counted) : counted(list);
  };
}

const known = new WeakMap<FieldNode, number>();

/** The fields asked for of each entry, at all depths; one for an entry without fields. */
function valuesOfOne({ fieldNodes, fragments }: GraphQLResolveInfo): number {
  return fieldNodes.reduce((sum, node) => {
    const values = known.get(node) ?? Math.max(1, fieldsIn(node.selectionSet, fragments));
    known.set(node, values);
    return sum + values;
  }, 0);
}

/** No more than the breadth of a query, which has been looked at. */
function fieldsIn(
  set: SelectionSetNode | undefined,
  fragments: GraphQLResolveInfo['fragments'],
): number {
  return (set?.selections ?? []).reduce((sum, selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      return sum + fieldsIn(fragments[selection.name.value]?.selectionSet, fragments);
    }
    const own = selection.kind === Kind.FIELD ? 1 : 0;
    return sum + own + fieldsIn(selection.selectionSet, fragments);
  }, 0);
}
