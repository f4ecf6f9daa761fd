/** Edits of clips. Moving, trimming left and trimming right write three different keys, so they commute. */

import * as Y from "yjs";
import { newId, randomChars, splitId } from "../ids.ts";
import { CLIP_GAIN, LIMITS, clamp } from "../schema.ts";
import type { TempoMap } from "../tempo.ts";
import { bringBack, change, create, entity, put, remove, write, type Fields, type Pen } from "./pen.ts";

const MICROSECONDS = 1e6;
/** The shortest clip an edit leaves behind, in ticks (or its time at the place). */
const SHORTEST = 60;

interface Span { readonly track: string; readonly asset: string; readonly take: string; readonly pos: number; readonly in: number; readonly out: number; readonly base: string }

const numeric = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise);

function span(id: string, clip: Y.Map<unknown>): Span {
  return {
    track: String(clip.get("track") ?? ""), asset: String(clip.get("asset") ?? ""),
    take: String(clip.get("take") ?? id), base: String(clip.get("base") ?? "beats"),
    pos: numeric(clip.get("pos"), 0), in: numeric(clip.get("in"), 0), out: numeric(clip.get("out"), 960),
  };
}

/** The content position under a timeline tick, in the clip's own unit. */
export function contentAt(clip: Pick<Span, "base" | "pos">, tick: number, tempo: TempoMap): number {
  if (clip.base !== "time") return Math.round(tick - clip.pos);
  return Math.round((tempo.seconds(tick) - tempo.seconds(clip.pos)) * MICROSECONDS);
}

const shortest = (clip: Span): number => (clip.base === "time" ? MICROSECONDS / 16 : SHORTEST);

export interface NewClip { readonly track: string; readonly start: number; readonly length: number; readonly name?: string; readonly asset?: string }

export function addClip(pen: Pen, clip: NewClip): string {
  const id = newId("c", pen.below);
  write(pen, () => {
    create(pen, "clips", id, {
      track: clip.track, asset: clip.asset ?? "", base: "beats", pos: Math.round(clip.start), in: 0,
      out: Math.max(SHORTEST, Math.round(clip.length)), gain_db: 0, fade_in: 0, fade_out: 0, stretch: "off",
      name: (clip.name ?? "").slice(0, LIMITS.name), color: null, mute: false, take: id, deleted: null,
    });
  });
  return id;
}

/** Moves clips by the same number of ticks, and to another track where one is named. */
export function moveClips(pen: Pen, ids: readonly string[], by: number, track?: string): void {
  write(pen, () => {
    for (const id of ids) {
      const clip = entity(pen, "clips", id);
      if (clip === null) continue;
      const { pos, in: from } = span(id, clip);
      put(clip, { pos: Math.max(-from, pos + Math.round(by)), track });
    }
  });
}

export function moveClip(pen: Pen, id: string, pos: number, track?: string): void {
  change(pen, "clips", id, { pos: Math.round(pos), track });
}

/** Clips of one lineage in one place: what split made of one clip. */
function siblings(pen: Pen, id: string, clip: Span): (readonly [Y.Map<unknown>, Span])[] {
  return [...pen.doc.getMap<unknown>("clips").keys()].flatMap((other) => {
    const map = other === id ? null : entity(pen, "clips", other);
    if (map === null || (map.get("deleted") ?? null) !== null) return [];
    const its = span(other, map);
    const kin = its.track === clip.track && its.asset === clip.asset && its.take === clip.take && its.pos === clip.pos;
    return kin ? [[map, its] as const] : [];
  });
}

/** Growing over one's own other half must take that half along, or nothing would be heard of the gesture. */
function heal(pen: Pen, id: string, clip: Span, from: number, to: number): void {
  for (const [map, its] of siblings(pen, id, clip)) {
    if (its.out <= from || its.in >= to) continue;
    if (its.in >= from && its.out <= to) map.set("deleted", [pen.user, pen.now()]);
    else if (its.in < from) put(map, { out: from });
    else put(map, { in: to });
  }
}

export function trimLeft(pen: Pen, id: string, start: number, tempo: TempoMap): void {
  const map = entity(pen, "clips", id);
  if (map === null) return;
  const clip = span(id, map);
  const edge = Math.min(contentAt(clip, Math.max(0, start), tempo), clip.out - shortest(clip));
  write(pen, () => {
    put(map, { in: edge });
    if (edge < clip.in) heal(pen, id, clip, edge, clip.in);
  });
}

export function trimRight(pen: Pen, id: string, end: number, tempo: TempoMap): void {
  const map = entity(pen, "clips", id);
  if (map === null) return;
  const clip = span(id, map);
  const edge = Math.max(contentAt(clip, end, tempo), clip.in + shortest(clip));
  write(pen, () => {
    put(map, { out: edge });
    if (edge > clip.out) heal(pen, id, clip, clip.out, edge);
  });
}

/** A derived name is free unless a living clip has it: then four random characters tell them apart. */
function rightHalfId(pen: Pen, take: string, at: number): string {
  const id = splitId(take, at);
  const standing = entity(pen, "clips", id);
  const free = standing === null || (standing.get("deleted") ?? null) !== null;
  return free ? id : `${id}~${randomChars(4, pen.below)}`;
}

/** Cuts at a timeline tick; returns the right half's id, or null when the tick is not inside the clip. */
export function splitClip(pen: Pen, id: string, tick: number, tempo: TempoMap): string | null {
  const map = entity(pen, "clips", id);
  if (map === null) return null;
  const clip = span(id, map);
  const at = contentAt(clip, tick, tempo);
  if (at <= clip.in || at >= clip.out) return null;
  const right = rightHalfId(pen, clip.take, at);
  write(pen, () => {
    const fields = { ...(map.toJSON() as Fields), take: clip.take, in: at, out: clip.out, fade_in: 0, deleted: null };
    create(pen, "clips", right, fields);
    put(map, { out: at, fade_out: map.has("fade_out") ? 0 : undefined });
  });
  return right;
}

/** Copies get a lineage of their own. Returns the new ids, in the order given. */
export function copyClips(pen: Pen, ids: readonly string[], by: number, track?: string): string[] {
  return write(pen, () =>
    ids.flatMap((id) => {
      const map = entity(pen, "clips", id);
      if (map === null) return [];
      const copy = newId("c", pen.below);
      const fields = map.toJSON() as Fields;
      const pos = Math.max(-span(id, map).in, span(id, map).pos + Math.round(by));
      create(pen, "clips", copy, { ...fields, pos, take: copy, deleted: null, track: track ?? fields["track"] });
      return [copy];
    }),
  );
}

export function renameClip(pen: Pen, id: string, name: string): void {
  change(pen, "clips", id, { name: name.trim().slice(0, LIMITS.name) });
}

export function setClipColor(pen: Pen, id: string, color: string | null): void {
  change(pen, "clips", id, { color });
}

export function setClipGain(pen: Pen, id: string, gainDb: number): void {
  change(pen, "clips", id, { gain_db: clamp(gainDb, CLIP_GAIN) });
}

export function setClipMute(pen: Pen, id: string, mute: boolean): void {
  change(pen, "clips", id, { mute });
}

export function deleteClips(pen: Pen, ids: readonly string[]): void {
  if (ids.length > 0) remove(pen, "clips", ids);
}

export function undeleteClips(pen: Pen, ids: readonly string[]): void {
  bringBack(pen, "clips", ids);
}
