/** What somebody may change, from their role, their restriction and the locks of tracks: derived here and nowhere else. The server's twin of it (studio/restriction.py, studio/locks.py) is held equal by shared vectors. */

import { mayEdit, type Restriction, type Role } from "./api.ts";
import { LOST, type Canonical, type Entity, type Json, type Root } from "./schema.ts";

/** Who holds a track, until when (ms since 1970). */
export interface Lock { readonly user: string; readonly until: number }

/**
 * A key that a gesture would write: of flat and leaf roots `id` is "", of an entity as a whole `key` is "". `tracks`: for clips, effects and
 * MIDI notes the track they belong to before, and after if that is another; null where it is not there.
 */
export interface Touch { readonly root: Root; readonly id: string; readonly key: string; readonly tracks?: readonly (string | null)[] }

export interface Who { readonly user: string; readonly role: Role; readonly restriction: Restriction | null }

/** Why not. */
export type Barrier =
  | { readonly kind: "role"; readonly role: Role }
  | { readonly kind: "restriction"; readonly restriction: Restriction }
  | { readonly kind: "lock"; readonly track: string; readonly lock: Lock };

export type Action = "rename" | "restore" | "markers";

/** Roots in which everything is allowed. Notes are talk, not music: every editor may write them. */
const FREE: { readonly [only in Restriction["only"]]: readonly Root[] } = {
  mix: ["notes", "sends", "effects", "lanes", "points"], markers: ["notes", "markers"], tracks: ["notes"],
};
const FADERS = ["gain_db", "pan", "mute", "phase_invert"];
const TARGET = "master_target_lufs";
/** Whose entries say themselves, or through their clip, where they belong. */
const DYNAMIC: readonly Root[] = ["clips", "effects", "events"];
/** What a lock holds. */
export const LOCKABLE: readonly Root[] = ["tracks", "clips", "effects", "events", "lanes", "points", "sends", "slots"];

const SEPARATORS: { readonly [root in Root]?: string } = { lanes: ".", points: ".", sends: ">", slots: ":" };

/** The track that an entry's id names; null where ids name none. */
function trackNamed(root: Root, entry: string): string | null {
  if (root === "tracks") return entry;
  const separator = SEPARATORS[root];
  return separator === undefined ? null : (entry.split(separator, 1)[0] ?? "");
}

const chosen = (restriction: Restriction, track: string | null): boolean => track !== null && (restriction.tracks ?? []).includes(track);

/** Whether a restriction lets its editor write this. */
export function within(restriction: Restriction, { root, id, key, tracks = [] }: Touch): boolean {
  if (FREE[restriction.only].includes(root)) return true;
  switch (restriction.only) {
    case "mix":
      return root === "tracks" ? FADERS.includes(key) : root === "transport" && key === TARGET;
    case "markers":
      return false;
    case "tracks": {
      if (!DYNAMIC.includes(root)) return chosen(restriction, trackNamed(root, id || key));
      const known = tracks.filter((track) => track !== null);
      return known.length > 0 && known.every((track) => chosen(restriction, track));
    }
  }
}

/** Whether a restriction leaves its editor what reaches further than a key. */
export function allows(restriction: Restriction | null, action: Action): boolean {
  return restriction === null || (action === "markers" && restriction.only === "markers");
}

/** Whether a restricted editor may change anything of a track, and so hold it. */
export const reaches = (restriction: Restriction | null, track: string): boolean => restriction === null || restriction.only === "mix" || chosen(restriction, track);

/** The lock that a track's field says; null if there is none, or its time has passed. */
export function lockOf(value: Json | undefined, now: number): Lock | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [user, until] = value as readonly Json[];
  return typeof user === "string" && typeof until === "number" && until > now ? { user, until: Math.trunc(until) } : null;
}

/** Every lock that holds now, by track. */
export function locksOf(document: Canonical, now: number): ReadonlyMap<string, Lock> {
  return new Map(Object.entries(document.tracks).flatMap(([track, fields]) => {
    const lock = typeof fields === "object" && fields !== null ? lockOf((fields as Entity)["lock"], now) : null;
    return lock === null ? [] : [[track, lock] as const];
  }));
}

/** Why somebody may not write this now; null if they may. */
export function barrier(who: Who, touch: Touch, locks: ReadonlyMap<string, Lock>): Barrier | null {
  if (!mayEdit(who.role)) return { kind: "role", role: who.role };
  if (who.role === "editor" && who.restriction !== null && !within(who.restriction, touch)) return { kind: "restriction", restriction: who.restriction };
  if (!LOCKABLE.includes(touch.root)) return null;
  const tracks = DYNAMIC.includes(touch.root) ? (touch.tracks ?? []) : [trackNamed(touch.root, touch.id || touch.key)];
  for (const track of tracks) {
    const lock = track === null ? undefined : locks.get(track);
    if (track !== null && lock !== undefined && lock.user !== who.user) return { kind: "lock", track, lock };
  }
  return null;
}

/** A field of a track. */
export const ofTrack = (track: string, key: string): Touch => ({ root: "tracks", id: track, key });
/** A clip where it lies, and on the track it comes to if that is another. Null: it is not there before. */
export const ofClip = (track: string | null, to: string | null = track, key = "pos"): Touch => ({ root: "clips", id: "", key, tracks: track === to ? [track] : [track, to] });
export const ofMarker: Touch = { root: "markers", id: "", key: "" };
export const ofSong = (key: string): Touch => ({ root: "transport", id: "", key });

/** What bringing an entity back from the trash would write. */
export function ofDeleted(root: Root, id: string, fields: Entity): Touch {
  const track = fields["track"];
  return { root, id, key: "deleted", tracks: [typeof track === "string" ? track : root === "clips" ? LOST : ""] };
}
