/** Members by what they ask: a group opens with its first member and closes with its last. */
export class Groups<Member, Group extends { readonly members: Set<Member>; close(): void }> {
  private readonly open = new Map<string, Group>();
  private readonly places = new Map<Member, { key: string; group: Group }>();

  join(member: Member, key: string, openGroup: () => Group): Group {
    const group = this.open.get(key) ?? openGroup();
    this.open.set(key, group);
    this.places.set(member, { key, group });
    group.members.add(member);
    return group;
  }

  leave(member: Member): void {
    const place = this.places.get(member);
    if (!place) return;
    this.places.delete(member);
    place.group.members.delete(member);
    if (place.group.members.size > 0) return;
    place.group.close();
    this.open.delete(place.key);
  }

  all(): Iterable<Group> {
    return this.open.values();
  }

  members(): Iterable<Member> {
    return this.places.keys();
  }
}
