/** What every edit writes with: one transaction per gesture, under one stable origin, only the keys that differ. */

import * as Y from "yjs";
import type { RandomBelow } from "../ids.ts";
import type { Json, Root } from "../schema.ts";

export interface Pen {
  readonly doc: Y.Doc;
  /** The object that marks a transaction as this person's own; undo follows it. */
  readonly origin: object;
  readonly user: string;
  readonly now: () => number;
  readonly below: RandomBelow;
  /** Called before each gesture: two gestures are two undo steps. */
  readonly gesture: () => void;
}

export type Fields = { readonly [key: string]: Json | undefined };

export function write<T>(pen: Pen, change: () => T): T {
  pen.gesture();
  return pen.doc.transact(change, pen.origin);
}

export function entity(pen: Pen, root: Root, id: string): Y.Map<unknown> | null {
  const value = pen.doc.getMap<unknown>(root).get(id);
  return value instanceof Y.Map ? (value as Y.Map<unknown>) : null;
}

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** Inside a transaction: writes the keys whose value differs. `undefined` leaves a key alone. */
export function put(map: Y.Map<unknown>, fields: Fields): void {
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined && !same(map.get(key), value)) map.set(key, value);
  }
}

/** One gesture on one entity; nothing happens if it is gone. */
export function change(pen: Pen, root: Root, id: string, fields: Fields): void {
  const map = entity(pen, root, id);
  if (map !== null) write(pen, () => put(map, fields));
}

/** Inside a transaction. */
export function create(pen: Pen, root: Root, id: string, fields: Fields): Y.Map<unknown> {
  const map = new Y.Map<unknown>();
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) map.set(key, value);
  pen.doc.getMap<unknown>(root).set(id, map);
  return map;
}

export function remove(pen: Pen, root: Root, ids: readonly string[]): void {
  const stamp = [pen.user, pen.now()];
  write(pen, () => {
    for (const id of ids) entity(pen, root, id)?.set("deleted", stamp);
  });
}

export function bringBack(pen: Pen, root: Root, ids: readonly string[]): void {
  write(pen, () => {
    for (const id of ids) entity(pen, root, id)?.set("deleted", null);
  });
}
