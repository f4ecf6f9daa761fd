/** Which of several overlapping clips is heard: the one that starts later (tie: the higher id). */

import type { ClipView } from "./parts.ts";
import { compare } from "./valid.ts";

/** From one tick to another this clip is heard on its track. */
export type Stretch = readonly [start: number, end: number, clip: string];

/** By track, in time; muted clips neither sound nor cover others. */
export function sounding(parts: readonly ClipView[]): { readonly [track: string]: readonly Stretch[] } {
  const heard = Map.groupBy(parts.filter((part) => !part.mute), (part) => part.track);
  return Object.fromEntries([...heard].map(([track, found]) => [track, stretches(found)]));
}

const later = (a: ClipView, b: ClipView): number => compare(a.start, b.start) || compare(a.id, b.id);

function stretches(parts: readonly ClipView[]): readonly Stretch[] {
  const waiting = parts.toSorted(later);
  const edges = [...new Set(parts.flatMap((part) => [part.start, part.end]))].sort((a, b) => a - b);
  let active: ClipView[] = [];
  const runs: Stretch[] = [];
  for (const [at, edge] of edges.slice(0, -1).entries()) {
    while (waiting[0] !== undefined && waiting[0].start <= edge) active.push(waiting.shift() as ClipView);
    active = active.filter((part) => part.end > edge);
    const top = active.reduce<ClipView | undefined>((best, part) => (best === undefined || later(best, part) < 0 ? part : best), undefined);
    if (top !== undefined) extend(runs, [edge, edges[at + 1] as number, top.id]);
  }
  return runs;
}

function extend(runs: Stretch[], stretch: Stretch): void {
  const last = runs.at(-1);
  if (last !== undefined && last[2] === stretch[2] && last[1] === stretch[0]) runs[runs.length - 1] = [last[0], stretch[1], last[2]];
  else runs.push(stretch);
}
