import type { Tag } from '../generated/prisma/client.ts';
import { foldText } from './preview.ts';

export function tagKeys({ name }: Pick<Tag, 'name'>) {
  return { searchText: foldText(name) };
}
