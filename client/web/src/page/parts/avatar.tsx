/** A person as a coloured disc with initials. */

import type { Person } from "../../client/api.ts";

const initials = (name: string): string => name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();

export const Avatar = ({ person, title }: { readonly person: Pick<Person, "name" | "color">; readonly title?: string }) => (
  <span class="avatar" style={{ "--color": person.color }} title={title ?? person.name} role="img" aria-label={title ?? person.name}>
    {initials(person.name)}
  </span>
);
