/** Which fields a query asks for, before any is resolved. */
import { type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql';

type Fragments = GraphQLResolveInfo['fragments'];

/** True where one of these names is asked for below a field, at any depth, under any alias. */
export function asksFor(
  { fieldNodes, fragments }: Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>,
  names: ReadonlySet<string>,
): boolean {
  return fieldNodes.some(({ selectionSet }) => hasOne(selectionSet, { names, fragments }));
}

function hasOne(
  set: SelectionSetNode | undefined,
  asked: { names: ReadonlySet<string>; fragments: Fragments },
): boolean {
  return (set?.selections ?? []).some((selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      return hasOne(asked.fragments[selection.name.value]?.selectionSet, asked);
    }
    const isOne = selection.kind === Kind.FIELD && asked.names.has(selection.name.value);
    return isOne || hasOne(selection.selectionSet, asked);
  });
}
