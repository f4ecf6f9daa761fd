/** Edits of markers and notes: what is written beside the music. */

import * as Y from "yjs";
import { newId } from "../ids.ts";
import { LIMITS, MARKER_COLOR, type Anchor, type MarkerKind } from "../schema.ts";
import { bringBack, change, create, entity, remove, write, type Pen } from "./pen.ts";

export interface NewMarker { readonly tick: number; readonly end?: number | null; readonly label: string; readonly color?: string; readonly kind?: MarkerKind }

export function addMarker(pen: Pen, marker: NewMarker): string {
  const id = newId("m", pen.below);
  write(pen, () => {
    create(pen, "markers", id, {
      tick: Math.max(0, Math.round(marker.tick)), end: marker.end ?? null, label: marker.label.slice(0, LIMITS.label),
      color: marker.color ?? MARKER_COLOR, kind: marker.kind ?? "cue", by: pen.user, at: pen.now(), deleted: null,
    });
  });
  return id;
}

export function moveMarker(pen: Pen, id: string, tick: number, end?: number | null): void {
  change(pen, "markers", id, { tick: Math.max(0, Math.round(tick)), end });
}

export function renameMarker(pen: Pen, id: string, label: string): void {
  change(pen, "markers", id, { label: label.trim().slice(0, LIMITS.label) });
}

export function deleteMarker(pen: Pen, id: string): void {
  remove(pen, "markers", [id]);
}

export function undeleteMarker(pen: Pen, id: string): void {
  bringBack(pen, "markers", [id]);
}

export interface NewNote { readonly body: string; readonly anchor: Anchor; readonly track?: string | null; readonly parent?: string | null }

export function addNote(pen: Pen, note: NewNote): string {
  const id = newId("n", pen.below);
  write(pen, () => {
    const map = create(pen, "notes", id, {
      anchor: note.anchor, track: note.track ?? null, author: pen.user, at: pen.now(), parent: note.parent ?? null,
      resolved: null, deleted: null,
    });
    map.set("body", new Y.Text(note.body.slice(0, LIMITS.body)));
  });
  return id;
}

/** Replaces only the part that differs, so that somebody typing elsewhere in the note keeps their words. */
export function editNote(pen: Pen, id: string, body: string): void {
  const text = entity(pen, "notes", id)?.get("body");
  if (!(text instanceof Y.Text)) return;
  const was = text.toString();
  const now = body.slice(0, LIMITS.body);
  const [head, tail] = commonEnds(was, now);
  write(pen, () => {
    if (was.length > head + tail) text.delete(head, was.length - head - tail);
    if (now.length > head + tail) text.insert(head, now.slice(head, now.length - tail));
  });
}

const isHighSurrogate = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xd800;

/** How many UTF-16 units two texts share at the beginning and at the end; a code point is never cut. */
export function commonEnds(a: string, b: string): readonly [head: number, tail: number] {
  const most = Math.min(a.length, b.length);
  let head = 0;
  while (head < most && a[head] === b[head]) head += 1;
  if (head > 0 && isHighSurrogate(a, head - 1)) head -= 1;
  let tail = 0;
  while (tail < most - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  if (tail > 0 && isHighSurrogate(a, a.length - tail - 1)) tail -= 1;
  return [head, tail];
}

export function resolveNote(pen: Pen, id: string, resolved: boolean): void {
  change(pen, "notes", id, { resolved: resolved ? [pen.user, pen.now()] : null });
}

export function deleteNote(pen: Pen, id: string): void {
  remove(pen, "notes", [id]);
}

export function undeleteNote(pen: Pen, id: string): void {
  bringBack(pen, "notes", [id]);
}
