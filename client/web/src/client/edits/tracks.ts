/** Edits of tracks. */

import { newId } from "../ids.ts";
import { between } from "../order.ts";
import { LIMITS, LOST, MASTER, PAN, TRACK_GAIN, PALETTE, clamp } from "../schema.ts";
import { bringBack, change, create, entity, remove, write, type Pen } from "./pen.ts";

interface Placed { readonly id: string; readonly order: string }

function placed(pen: Pen): Placed[] {
  const tracks = pen.doc.getMap<unknown>("tracks");
  return [...tracks.keys()]
    .filter((id) => id !== MASTER && id !== LOST)
    .map((id) => ({ id, order: String(entity(pen, "tracks", id)?.get("order") ?? "") }))
    .filter((track) => /^[0-9A-Za-z]{1,256}$/.test(track.order))
    .sort((a, b) => (a.order === b.order ? (a.id < b.id ? -1 : 1) : a.order < b.order ? -1 : 1));
}

/** A key right behind `after` (null: in front of all); equal neighbours are stepped over. */
function orderAfter(pen: Pen, after: string | null, moving: string | null): string {
  const others = placed(pen).filter((track) => track.id !== moving);
  const low = others.find((track) => track.id === after)?.order ?? null;
  const high = others.find((track) => low === null || track.order > low)?.order ?? null;
  return between(low, high, pen.below);
}

/** The colour the fewest tracks have: neighbours differ. */
function freshColor(pen: Pen): string {
  const used = placed(pen).map((track) => entity(pen, "tracks", track.id)?.get("color"));
  const times = (color: string): number => used.filter((other) => other === color).length;
  const start = (used.length * 3) % PALETTE.length;
  const turned = [...PALETTE.slice(start), ...PALETTE.slice(0, start)];
  return turned.reduce((best, color) => (times(color) < times(best) ? color : best));
}

export function addTrack(pen: Pen, name: string, after?: string | null): string {
  const id = newId("t", pen.below);
  const last = placed(pen).at(-1)?.id ?? null;
  write(pen, () => {
    create(pen, "tracks", id, {
      kind: "audio", role: "none", name: name.slice(0, LIMITS.name), color: freshColor(pen),
      order: orderAfter(pen, after === undefined ? last : after, null),
      gain_db: 0, pan: 0, mute: false, output: MASTER, deleted: null,
    });
  });
  return id;
}

export function renameTrack(pen: Pen, id: string, name: string): void {
  change(pen, "tracks", id, { name: name.trim().slice(0, LIMITS.name) || "Track" });
}

/** Puts the track right behind `after`; null puts it first. */
export function moveTrack(pen: Pen, id: string, after: string | null): void {
  if (id !== after) change(pen, "tracks", id, { order: orderAfter(pen, after, id) });
}

export function setTrackColor(pen: Pen, id: string, color: string): void {
  change(pen, "tracks", id, { color });
}

export function setTrackGain(pen: Pen, id: string, gainDb: number): void {
  change(pen, "tracks", id, { gain_db: clamp(gainDb, TRACK_GAIN) });
}

export function setTrackPan(pen: Pen, id: string, pan: number): void {
  change(pen, "tracks", id, { pan: clamp(pan, PAN) });
}

export function setTrackMute(pen: Pen, id: string, mute: boolean): void {
  change(pen, "tracks", id, { mute });
}

export function deleteTrack(pen: Pen, id: string): void {
  if (id !== MASTER && id !== LOST) remove(pen, "tracks", [id]);
}

export function undeleteTrack(pen: Pen, id: string): void {
  bringBack(pen, "tracks", [id]);
}
