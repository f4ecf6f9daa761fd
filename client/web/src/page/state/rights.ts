/** Why something is greyed out, in words: every control and command of the page asks here. */

import { useEffect, useState } from "preact/hooks";
import { ApiError, mayEdit, type Restored } from "../../client/api.ts";
import { allows, barrier, locksOf, type Action, type Barrier, type Lock, type Touch, type Who } from "../../client/rights.ts";
import { useChanges, useStore } from "./store.ts";
import { reading, useReading, useStudio, type Studio } from "./studio.ts";

export type Locks = ReadonlyMap<string, Lock>;
/** A timer may fire a little early. */
const LATER_MS = 50;

const who = ({ me, session }: Studio): Who => ({ user: me.id, role: session.role, restriction: session.restriction });

export const locksNow = ({ session }: Studio): Locks => locksOf(session.mirror.current, Date.now());

/** Why one may not write any of these; null if one may write all of them. */
export function whyNot(studio: Studio, touches: readonly Touch[], locks: Locks = locksNow(studio)): string | null {
  for (const touch of touches) {
    const found = barrier(who(studio), touch, locks);
    if (found !== null) return words(studio, found);
  }
  return null;
}

/** Whether one may write all of these; if not, says why. */
export function allowed(studio: Studio, ...touches: readonly Touch[]): boolean {
  const why = whyNot(studio, touches);
  if (why !== null) studio.ui.set({ notice: why });
  return why === null;
}

/** Why one may not do what reaches further than a key. */
export function whyNotAction(studio: Studio, action: Action): string | null {
  const { role, restriction } = studio.session;
  if (!mayEdit(role)) return words(studio, { kind: "role", role });
  if (action === "restore" && role === "editor" && studio.about.value.options?.editors_restore === false) return "In this project only the owner brings back earlier versions.";
  return restriction === null || role === "owner" || allows(restriction, action) ? null : words(studio, { kind: "restriction", restriction });
}

function words(studio: Studio, found: Barrier): string {
  switch (found.kind) {
    case "role":
      return found.role === "commenter" ? "You can write notes here, and not change the music." : "You can only look here.";
    case "restriction": {
      const { only, tracks } = found.restriction;
      if (only === "tracks") return `The owner lets you change only ${(tracks ?? []).map((track) => trackName(studio, track)).join(", ")}.`;
      return `The owner lets you change only ${only === "mix" ? "the mix" : "markers"}.`;
    }
    case "lock":
      return heldWords(studio, found.track, found.lock);
  }
}

/** "Ben holds “Drums” until 20:15." */
export function heldWords(studio: Studio, track: string, lock: Lock): string {
  const until = new Date(lock.until).toLocaleTimeString([], { timeStyle: "short" });
  return `${personName(studio, lock.user)} holds ${trackName(studio, track)} until ${until}.`;
}

/** A refusal as it is told: of a held track, who holds it. */
export function refusalWords(studio: Studio, error: Error): string {
  const { track, user, until } = error instanceof ApiError ? error.detail : {};
  const held = typeof track === "string" && typeof user === "string" && typeof until === "number";
  return held ? `${heldWords(studio, track, { user, until })} Nothing was changed.` : error.message;
}

/** Which tracks a restore has left, and why; "" if none. */
export const leftWords = (studio: Studio, { locked }: Restored): string =>
  locked.map((left) => ` Left as it is: ${heldWords(studio, left.track, left)}`).join("");

const trackName = ({ session }: Studio, id: string): string => {
  const name = reading(session).view.tracks.find((track) => track.id === id)?.name;
  return name === undefined ? "a deleted track" : `“${name}”`;
};

export function personName({ about, session, me }: Studio, id: string): string {
  if (id === me.id) return "You";
  const known = about.value.members.find((member) => member.user.id === id)?.user ?? session.presence.others().find((peer) => peer.user.id === id)?.user;
  return known?.name ?? "Somebody";
}

/** The locks that hold now; renders again when one runs out, and when what one may do has changed. */
export function useLocks(): Locks {
  const studio = useStudio();
  useStore(studio.about);
  useReading();
  const [, look] = useState(0);
  const locks = locksNow(studio);
  const next = Math.min(...[...locks.values()].map(({ until }) => until));
  useEffect(() => {
    if (next === Infinity) return;
    const timer = setTimeout(() => look((count) => count + 1), next - Date.now() + LATER_MS);
    return () => clearTimeout(timer);
  }, [next]);
  return locks;
}

/** Why one may not write these, for a control that is greyed out then. */
export function useWhyNot(...touches: readonly Touch[]): string | null {
  const studio = useStudio();
  return whyNot(studio, touches, useLocks());
}

export function useWhyNotAction(action: Action): string | null {
  const studio = useStudio();
  useStore(studio.about);
  useChanges(studio.session.mirror);
  return whyNotAction(studio, action);
}

/** Why one may write nothing at all; null for who may write anything. */
export function useReader(): string | null {
  const studio = useStudio();
  const { role } = useStore(studio.about).project;
  return mayEdit(role) ? null : words(studio, { kind: "role", role });
}
