/** What a musician sees of a document: order, lineage, deletions and defaults accounted for. The server's twin of it is held equal by shared vectors. */

import { issues, type Issue } from "./issues.ts";
import { clips, tickOf, type ClipView } from "./parts.ts";
import { LOST, MASTER, type Anchor, type Canonical } from "./schema.ts";
import { sounding, type Stretch } from "./sounding.ts";
import { TempoMap } from "./tempo.ts";
import { CLIP, MARKER, NOTE, POINT_ROW, TRACK, compare, entities, isDeleted, isEntity, known, living, type Known } from "./valid.ts";

export type { ClipView } from "./parts.ts";
export type TrackView = Omit<Known<typeof TRACK>, "deleted"> & { readonly id: string };
export type MarkerView = Omit<Known<typeof MARKER>, "deleted"> & { readonly id: string };
/** `tick` is where it shows now. A deleted note with living replies stays as a stub. */
export interface NoteView { readonly id: string; readonly tick: number; readonly track: string | null; readonly body: string; readonly author: string | null; readonly at: number; readonly parent: string | null; readonly resolved: boolean; readonly deleted: boolean }
export type LanePoint = readonly [tick: number, value: number, curve: number];

export interface View {
  readonly tracks: readonly TrackView[];
  readonly clips: readonly ClipView[];
  readonly markers: readonly MarkerView[];
  readonly notes: readonly NoteView[];
  readonly lanes: { readonly [lane: string]: readonly LanePoint[] };
  readonly sounding: { readonly [track: string]: readonly Stretch[] };
  readonly issues: readonly Issue[];
  readonly trash: { readonly [root: string]: number };
}

export function view(document: Canonical): View {
  const tempo = TempoMap.of(document);
  const parts = clips(document, tempo);
  const shown = tracks(document, parts);
  const ids = new Set(shown.map((track) => track.id));
  const visible = parts.filter((part) => ids.has(part.track));
  return {
    tracks: shown, clips: visible, markers: markers(document), notes: notes(document, parts, tempo), lanes: lanes(document),
    sounding: sounding(visible), issues: issues(document, shown, visible), trash: trash(document, parts, ids),
  };
}

function without<T extends { readonly deleted: unknown }>({ deleted: _deleted, ...rest }: T): Omit<T, "deleted"> {
  return rest;
}

/** By (order, id); the master has no lane, "lost" hides while nothing lies on it, folders that are gone are none. */
function tracks(document: Canonical, parts: readonly ClipView[]): TrackView[] {
  const lost = parts.some((part) => part.track === LOST);
  const found = living(document, "tracks", TRACK).filter(([id]) => id !== MASTER && (id !== LOST || lost));
  const ids = new Set(found.map(([id]) => id));
  return found
    .map(([id, track]) => ({ ...without(track), id, parent: track.parent !== null && ids.has(track.parent) ? track.parent : null }))
    .sort((a, b) => compare(a.order, b.order) || compare(a.id, b.id));
}

function markers(document: Canonical): MarkerView[] {
  return living(document, "markers", MARKER)
    .map(([id, marker]) => ({ ...without(marker), id, end: marker.end !== null && marker.end <= marker.tick ? marker.tick + 240 : marker.end }))
    .sort((a, b) => compare(a.tick, b.tick) || compare(a.id, b.id));
}

function notes(document: Canonical, parts: readonly ClipView[], tempo: TempoMap): NoteView[] {
  const all = new Map(entities(document, "notes").map(([id, fields]) => [id, known(NOTE, id, fields)]));
  const heads = new Set([...all.values()].filter((note) => note.deleted === null).map((note) => note.parent));
  return [...all]
    .filter(([id, note]) => note.deleted === null || heads.has(id))
    .map(([id, { anchor, ...note }]) => ({
      ...note, id, tick: anchorTick(document, anchor, parts, tempo), resolved: note.resolved !== null, deleted: note.deleted !== null,
      parent: note.parent !== null && all.has(note.parent) ? note.parent : null,
    }))
    .sort((a, b) => compare(a.at, b.at) || compare(a.id, b.id));
}

/** A note on a clip is where its content is: on the part of the lineage that holds it, else where it was. */
function anchorTick(document: Canonical, anchor: Anchor, parts: readonly ClipView[], tempo: TempoMap): number {
  if (anchor[0] === "t") return anchor[1];
  const [, id, content] = anchor;
  const fields = document.clips?.[id];
  if (!isEntity(fields)) return Math.max(0, content);
  const named = known(CLIP, id, fields);
  const holding = parts.filter((part) => part.take === named.take && part.in <= content && content < part.out);
  const on = holding.find((part) => part.id === id) ?? holding.sort((a, b) => compare(a.id, b.id))[0] ?? named;
  return Math.max(0, tickOf(on, content, tempo));
}

/** Points by lane; of more than two at one tick the lowest and the highest id remain. */
function lanes(document: Canonical): { readonly [lane: string]: readonly LanePoint[] } {
  const found = Object.entries(document.points ?? {})
    .sort(([a], [b]) => compare(a, b))
    .flatMap(([id, value]) => {
      const point = POINT_ROW(value, id);
      return point === undefined ? [] : [{ lane: id.slice(0, Math.max(0, id.lastIndexOf("/"))), point }];
    });
  const byLane = [...Map.groupBy(found, ({ lane }) => lane)];
  return Object.fromEntries(byLane.map(([lane, rows]) => [lane, twoPerTick(rows.map(({ point }) => point))]));
}

function twoPerTick(points: readonly LanePoint[]): LanePoint[] {
  const ticks = [...Map.groupBy(points, ([tick]) => tick)].sort(([a], [b]) => compare(a, b));
  return ticks.flatMap(([, same]) => (same.length <= 2 ? same : [same[0] as LanePoint, same.at(-1) as LanePoint]));
}

/** How many soft-deleted entities there are; clips hidden with their track count as clips. */
function trash(document: Canonical, parts: readonly ClipView[], shown: ReadonlySet<string>): { readonly [root: string]: number } {
  const roots = ["clips", "effects", "markers", "notes", "tracks"] as const;
  const counts = roots.map((root) => [root, entities(document, root).filter(([id, fields]) => isDeleted(id, fields)).length] as const);
  const hidden = parts.filter((part) => !shown.has(part.track)).length;
  return Object.fromEntries(counts.map(([root, count]) => [root, root === "clips" ? count + hidden : count]));
}
