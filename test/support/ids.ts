/** The row id inside a global id. */
export function rowIdOf(global: string | undefined): string {
  return (
    Buffer.from(global ?? '', 'base64')
      .toString()
      .split(':')[1] ?? ''
  );
}

export function globalIdOf(type: string, id: string | undefined): string {
  return Buffer.from(`${type}:${id}`).toString('base64');
}
