import { Kind, type FieldNode, type GraphQLResolveInfo, type SelectionSetNode } from 'graphql';

type Fragments = GraphQLResolveInfo['fragments'];

const known = new WeakMap<FieldNode, ReadonlySet<string>>();

/** Whether nothing else is asked of this field's object: then what its parent holds of it will do. */
export function selectsOnly(names: ReadonlySet<string>, { fieldNodes, fragments }: GraphQLResolveInfo): boolean {
  return fieldNodes.every((node) => selectedFields(node, fragments).isSubsetOf(names));
}

function selectedFields(node: FieldNode, fragments: Fragments): ReadonlySet<string> {
  const held = known.get(node);
  if (held) return held;
  const fields = new Set(fieldsIn(node.selectionSet, fragments).map(({ name }) => name.value));
  known.set(node, fields);
  return fields;
}

/** The fields of a selection, also those of its fragments, whether a directive leaves them out or not. */
export function fieldsIn(set: SelectionSetNode | undefined, fragments: Fragments): FieldNode[] {
  return (set?.selections ?? []).flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
    return fieldsIn(inner?.selectionSet, fragments);
  });
}
