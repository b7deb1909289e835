import { Kind, type FieldNode, type GraphQLResolveInfo, type SelectionSetNode } from 'graphql';

const known = new WeakMap<FieldNode, ReadonlySet<string>>();

/** Whether nothing else is asked of this field's object: then what its parent holds of it will do. */
export function selectsOnly(names: ReadonlySet<string>, { fieldNodes, fragments }: GraphQLResolveInfo): boolean {
  return fieldNodes.every((node) => selectedFields(node, fragments).isSubsetOf(names));
}

function selectedFields(node: FieldNode, fragments: GraphQLResolveInfo['fragments']): ReadonlySet<string> {
  const held = known.get(node);
  if (held) return held;
  const fields = new Set(node.selectionSet ? namesIn(node.selectionSet, fragments) : []);
  known.set(node, fields);
  return fields;
}

function namesIn(set: SelectionSetNode, fragments: GraphQLResolveInfo['fragments']): string[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
    return inner ? namesIn(inner.selectionSet, fragments) : [];
  });
}
