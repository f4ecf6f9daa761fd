/** Who is in the project right now. */

import { Avatar } from "../parts/avatar.tsx";
import { useChanges } from "../state/store.ts";
import { useStudio } from "../state/studio.ts";

const SHOWN_MAX = 6;

export function PeopleBar() {
  const { session, me, ui } = useStudio();
  useChanges(session.presence);
  const others = new Map(session.presence.others().filter((peer) => peer.user.id !== me.id).map((peer) => [peer.user.id, peer.user]));
  const people = [me, ...others.values()];
  return (
    <button type="button" class="people" aria-label={`People here: ${people.map((person) => person.name).join(", ")}`} onClick={() => ui.set({ dialog: "people" })} data-testid="people" data-count={people.length}>
      {people.slice(0, SHOWN_MAX).map((person) => <Avatar key={person.id} person={person} title={person.id === me.id ? `${person.name} (you)` : person.name} />)}
      {people.length > SHOWN_MAX && <span class="avatar avatar--more">+{people.length - SHOWN_MAX}</span>}
    </button>
  );
}
