import {
  getNamedType,
  isObjectType,
  type FieldNode,
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
} from 'graphql';
import type { WantedRows } from '../db/models.ts';
import { fieldsIn } from './selection.ts';

/**
 * Says which columns of its row a field needs; what is exposed says it by itself. Where a selection holds a field that
 * does not say it, whole rows are read.
 */
export function reads<Row>(...columns: (keyof Row & string)[]): { reads: readonly string[] } {
  return { reads: columns };
}

/** For a field that only leads to the same row, or to the rows of a page. */
export const readsOnward = { readsOnward: true } as const;

const known = new WeakMap<FieldNode, WantedRows>();

/** What the rows below a field need to have for what is selected of them. */
export function wantedRows({ fieldNodes, fragments, returnType }: GraphQLResolveInfo): WantedRows {
  const [node] = fieldNodes;
  const held = node && fieldNodes.length === 1 ? known.get(node) : undefined;
  if (held) return held;
  const wanted = nothing();
  for (const each of fieldNodes) collect(each, returnType, fragments, wanted);
  if (node && fieldNodes.length === 1) known.set(node, wanted);
  return wanted;
}

type Collected = { columns: Set<string> | null; linked: Map<string, Collected> };

const nothing = (): Collected => ({ columns: new Set(), linked: new Map() });

function collect(
  parent: FieldNode,
  type: GraphQLOutputType,
  fragments: GraphQLResolveInfo['fragments'],
  into: Collected,
): void {
  const named = getNamedType(type);
  const fields = isObjectType(named) ? named.getFields() : {};
  for (const node of fieldsIn(parent.selectionSet, fragments)) {
    const field = fields[node.name.value];
    if (!field) continue;
    if (field.extensions.readsOnward) {
      collect(node, field.type, fragments, into);
      continue;
    }
    const columns = columnsOf(field);
    if (columns) for (const column of columns) into.columns?.add(column);
    else into.columns = null;
    const linked = into.linked.get(field.name) ?? nothing();
    into.linked.set(field.name, linked);
    collect(node, field.type, fragments, linked);
  }
}

/** Null where the field does not say it. */
function columnsOf({ name, extensions }: GraphQLField<unknown, unknown>): readonly string[] | null {
  if (name === 'id') return ['id'];
  // Set by `reads` and by the builder, under these names only.
  const said = extensions as { reads?: readonly string[]; pothosExposedField?: string };
  return said.reads ?? (said.pothosExposedField === undefined ? null : [said.pothosExposedField]);
}
