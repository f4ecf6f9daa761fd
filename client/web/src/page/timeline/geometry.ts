/** Between pixels and music. Positions in the page are quarters times the CSS length --beat. */

import { PPQ } from "../../client/schema.ts";
import type { View } from "../../client/view.ts";

export const HEADER_PX = 264;
export const ROW_PX = 76;

export const quarters = (tick: number): number => tick / PPQ;

/** The tick under a pointer, inside an element whose left edge is tick zero. */
export function tickAt(event: { readonly clientX: number }, lane: Element, beat: number): number {
  return ((event.clientX - lane.getBoundingClientRect().left) / beat) * PPQ;
}

/** How far the timeline reaches: past the last thing, at least 64 bars of four. */
export function timelineEnd(view: View, loopEnd: number): number {
  const last = Math.max(loopEnd, 0, ...view.clips.map((clip) => clip.end), ...view.markers.map((marker) => marker.end ?? marker.tick));
  return Math.max(256 * PPQ, last + 64 * PPQ);
}

/** The track whose lane is under a point of the screen. */
export function trackAt(x: number, y: number): string | null {
  const lane = document.elementsFromPoint(x, y).find((element) => element instanceof HTMLElement && element.dataset["lane"] !== undefined);
  return (lane as HTMLElement | undefined)?.dataset["lane"] ?? null;
}

/** How many bars apart lines and numbers stand, and whether beats show. */
export function density(beat: number, barQuarters: number): { readonly step: number; readonly beats: boolean } {
  const bar = beat * barQuarters;
  const step = [1, 2, 4, 8, 16, 32].find((bars) => bars * bar >= 44) ?? 64;
  return { step, beats: beat >= 18 };
}
