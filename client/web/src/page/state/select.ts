/** Selection and the edit cursor: what the next command works on. */

import type { ClipView } from "../../client/view.ts";
import { reading, type Studio } from "./studio.ts";
import type { Place } from "./ui.ts";

export function select(studio: Studio, ids: readonly string[]): void {
  studio.ui.set({ selected: ids });
  studio.session.presence.set({ sel: ids });
}

export function toggleSelected(studio: Studio, id: string): void {
  const { selected } = studio.ui.value;
  select(studio, selected.includes(id) ? selected.filter((other) => other !== id) : [...selected, id]);
}

export function putPlace(studio: Studio, place: Place): void {
  studio.ui.set({ place: { ...place, tick: Math.max(0, place.tick) } });
}

export function selectedClips(studio: Studio): readonly ClipView[] {
  const wanted = new Set(studio.ui.value.selected);
  return reading(studio.session).view.clips.filter((clip) => wanted.has(clip.id));
}

/** The track of the edit cursor, or the first one. */
export function placeTrack(studio: Studio): string | null {
  const { tracks } = reading(studio.session).view;
  const { track } = studio.ui.value.place;
  return tracks.some((shown) => shown.id === track) ? track : (tracks[0]?.id ?? null);
}

/** One step of the grid; a fine one where the grid is off. */
export function gridStep(studio: Studio): number {
  const { grid, place } = studio.ui.value;
  return grid === "bar" ? reading(studio.session).meter.barTicksAt(place.tick) : grid || 60;
}

export function snapped(studio: Studio, tick: number): number {
  return Math.max(0, reading(studio.session).meter.snap(tick, studio.ui.value.grid));
}
