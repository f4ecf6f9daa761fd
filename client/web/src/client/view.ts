/** What a musician sees of a document: deletions, lineage and defaults are accounted for, nothing is repaired. */

import { ends, type Part } from "./lineage.ts";
import { entities, flag, isLive, num, sorted, text, textOrNull } from "./read.ts";
import { LOST, MARKER_COLOR, MASTER, paletteColor, type Anchor, type Canonical, type Entity, type Json, type MarkerKind } from "./schema.ts";
import { TempoMap } from "./tempo.ts";

export interface TrackView { readonly id: string; readonly kind: string; readonly name: string; readonly color: string; readonly order: string; readonly gain_db: number; readonly pan: number; readonly mute: boolean }
export interface ClipView extends Part { readonly name: string; readonly color: string | null; readonly start: number; readonly end: number; readonly base: string; readonly mute: boolean; readonly gain_db: number }
export interface MarkerView { readonly id: string; readonly tick: number; readonly end: number | null; readonly label: string; readonly color: string; readonly kind: MarkerKind }
export interface NoteView { readonly id: string; readonly anchor: Anchor; readonly tick: number; readonly track: string | null; readonly body: string; readonly author: string | null; readonly at: number; readonly parent: string | null; readonly resolved: boolean; readonly deleted: boolean }
export interface View { readonly tracks: readonly TrackView[]; readonly clips: readonly ClipView[]; readonly markers: readonly MarkerView[]; readonly notes: readonly NoteView[] }

export function view(document: Canonical): View {
  const tempo = TempoMap.of(document);
  const parts = clips(document, tempo);
  const shown = tracks(document, parts);
  const ids = new Set(shown.map((track) => track.id));
  const visible = parts.filter((clip) => ids.has(clip.track));
  return { tracks: shown, clips: visible, markers: markers(document), notes: notes(document, parts) };
}

/** In order; the master has no lane and "lost" hides while nothing lies on it. */
function tracks(document: Canonical, parts: readonly ClipView[]): TrackView[] {
  const lost = parts.some((clip) => clip.track === LOST);
  const live = entities(document.tracks).filter(([id, track]) => isLive(track) && id !== MASTER && (id !== LOST || lost));
  return sorted(live.map(([id, track]) => trackView(id, track)), (track) => track.order);
}

function trackView(id: string, track: Entity): TrackView {
  return {
    id, kind: text(track["kind"], "audio"), name: text(track["name"], "Track"), color: text(track["color"], paletteColor(id)),
    order: text(track["order"], ""), gain_db: num(track["gain_db"], 0), pan: num(track["pan"], 0), mute: flag(track["mute"]),
  };
}

function clips(document: Canonical, tempo: TempoMap): ClipView[] {
  const live = entities(document.clips).filter(([, clip]) => isLive(clip)).map(([id, clip]) => [part(id, clip), clip] as const);
  const until = ends(live.map(([its]) => its));
  const seen = live.map(([its, clip]) => clipView({ ...its, out: until.get(its.id) ?? its.out }, clip, tempo));
  return sorted(seen.filter((clip) => clip.out > clip.in), (clip) => clip.start);
}

function part(id: string, clip: Entity): Part {
  return {
    id, track: text(clip["track"], LOST), asset: text(clip["asset"], ""), take: text(clip["take"], id.slice(0, 64)),
    pos: num(clip["pos"], 0), in: num(clip["in"], 0), out: num(clip["out"], 960),
  };
}

function clipView(its: Part, clip: Entity, tempo: TempoMap): ClipView {
  const base = text(clip["base"], "beats");
  const at = (content: number): number =>
    base === "time" ? tempo.tick(tempo.seconds(its.pos) + content / 1e6) : its.pos + content;
  return {
    ...its, base, name: text(clip["name"], ""), color: textOrNull(clip["color"]), start: at(its.in), end: at(its.out),
    mute: flag(clip["mute"]), gain_db: num(clip["gain_db"], 0),
  };
}

function markers(document: Canonical): MarkerView[] {
  const live = entities(document.markers).filter(([, marker]) => isLive(marker));
  return sorted(live.map(([id, marker]) => ({
    id, tick: num(marker["tick"], 0), end: typeof marker["end"] === "number" ? marker["end"] : null,
    label: text(marker["label"], ""), color: text(marker["color"], MARKER_COLOR), kind: text(marker["kind"], "cue") as MarkerKind,
  })), (marker) => marker.tick);
}

/** A deleted note with living replies stays as a stub, so that the thread keeps its head. */
function notes(document: Canonical, parts: readonly ClipView[]): NoteView[] {
  const all = entities(document.notes).map(([id, note]) => noteView(id, note, parts));
  const heads = new Set(all.filter((note) => !note.deleted && note.parent !== null).map((note) => note.parent));
  return sorted(all.filter((note) => !note.deleted || heads.has(note.id)), (note) => note.at);
}

function noteView(id: string, note: Entity, parts: readonly ClipView[]): NoteView {
  const anchor = anchorOf(note["anchor"]);
  return {
    id, anchor, tick: anchorTick(anchor, parts), track: textOrNull(note["track"]), body: text(note["body"], ""),
    author: textOrNull(note["author"]), at: num(note["at"], 0), parent: textOrNull(note["parent"]),
    resolved: (note["resolved"] ?? null) !== null, deleted: !isLive(note),
  };
}

function anchorOf(value: Json | undefined): Anchor {
  if (!Array.isArray(value)) return ["t", 0, null];
  const [kind, first, second] = value as readonly Json[];
  if (kind === "c" && typeof first === "string" && typeof second === "number") return ["c", first, second];
  return ["t", num(first, 0), typeof second === "number" ? second : null];
}

/** A note on a clip goes where the content goes: to whichever part of the lineage holds it now. */
function anchorTick(anchor: Anchor, parts: readonly ClipView[]): number {
  if (anchor[0] === "t") return anchor[1];
  const [, id, content] = anchor;
  const named = parts.find((clip) => clip.id === id);
  if (named === undefined) return content;
  const holding = parts.find((clip) => clip.take === named.take && clip.in <= content && content < clip.out);
  return (holding ?? named).pos + content;
}
