/** What is worth a musician's look but is never repaired: overlaps, orphaned halves, missing audio, empty tracks. */

import type { ClipView } from "./parts.ts";
import type { Canonical } from "./schema.ts";
import { compare, entities, isDeleted, transport } from "./valid.ts";

export interface Issue { readonly kind: string; readonly ids: readonly string[]; readonly start: number; readonly end: number }
interface Named { readonly id: string; readonly name: string; readonly kind: string }

export function issues(document: Canonical, tracks: readonly Named[], clips: readonly ClipView[]): readonly Issue[] {
  const found = [...overlaps(clips), ...halves(document, clips), ...missingAssets(document, clips), ...emptyTracks(tracks, clips), ...sameNames(tracks), ...outsideLoop(document, clips)];
  return found.sort(byAll);
}

function byAll(a: Issue, b: Issue): number {
  return compare(a.kind, b.kind) || lists(a.ids, b.ids) || compare(a.start, b.start) || compare(a.end, b.end);
}

function lists(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((id, place) => id !== b[place]);
  return at < 0 ? compare(a.length, b.length) : b[at] === undefined ? 1 : compare(a[at] as string, b[at]);
}

const over = (kind: string, clip: ClipView): Issue => ({ kind, ids: [clip.id], start: clip.start, end: clip.end });

function* overlaps(clips: readonly ClipView[]): Generator<Issue> {
  for (const row of Map.groupBy(clips, (clip) => clip.track).values()) {
    for (const [place, clip] of row.entries()) {
      for (let next = place + 1; next < row.length; next++) {
        const other = row[next] as ClipView;
        if (other.start >= clip.end) break;
        yield { kind: "overlap", ids: [clip.id, other.id].sort(compare), start: other.start, end: Math.min(clip.end, other.end) };
      }
    }
  }
}

/** A right half whose original was deleted by somebody who did not know of the split. */
function halves(document: Canonical, clips: readonly ClipView[]): Issue[] {
  const deleted = new Set(entities(document, "clips").flatMap(([id, fields]) => (isDeleted(id, fields) ? [id] : [])));
  return clips.filter((clip) => deleted.has(clip.take) && clip.id.startsWith(`${clip.take}@`)).map((clip) => over("half_of_deleted", clip));
}

function missingAssets(document: Canonical, clips: readonly ClipView[]): Issue[] {
  return clips.filter((clip) => clip.asset !== "" && !(clip.asset in (document.assets ?? {}))).map((clip) => over("missing_asset", clip));
}

function emptyTracks(tracks: readonly Named[], clips: readonly ClipView[]): Issue[] {
  const used = new Set(clips.map((clip) => clip.track));
  return tracks.filter((track) => track.kind !== "bus" && !used.has(track.id)).map((track) => ({ kind: "empty_track", ids: [track.id], start: 0, end: 0 }));
}

function sameNames(tracks: readonly Named[]): Issue[] {
  const names = [...Map.groupBy(tracks, (track) => track.name).values()].filter((same) => same.length > 1);
  return names.map((same) => ({ kind: "duplicate_name", ids: same.map((track) => track.id).sort(compare), start: 0, end: 0 }));
}

function outsideLoop(document: Canonical, clips: readonly ClipView[]): Issue[] {
  const [on, start, end] = transport(document, "loop");
  return on === 1 ? clips.filter((clip) => clip.end <= start || clip.start >= end).map((clip) => over("outside_loop", clip)) : [];
}
