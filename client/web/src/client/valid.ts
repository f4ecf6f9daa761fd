/** Reading canonical JSON as if it had been repaired: missing and wrong values read as valid ones. */

import * as f from "./fields.ts";
import {
  BPM, DENOMINATORS, LOST, MARKER_COLOR, MARKER_KINDS, MASTER, paletteColor,
  type Anchor, type Canonical, type Deleted, type Entity, type Json, type Loop, type Root, type Signature,
} from "./schema.ts";

const TICK_MAX = 2 ** 31;
const CONTENT_MAX = 2 ** 40;
const COLOR = /^#[0-9a-f]{6}$/;
const tick = f.integer(0, TICK_MAX, 0);
const content = f.integer(-CONTENT_MAX, CONTENT_MAX, 0);
const fade = f.integer(0, CONTENT_MAX, 0);
const reference = f.stringOrNull(160);
const stamp = f.leaf<Deleted | null>(f.isStamp, null);
const strayOrder = (id: string): string => `zz${id.replace(/[^0-9A-Za-z]/g, "").slice(0, 12)}`;
const empty = (): string => "";

export const TRACK = {
  kind: f.choice(["audio", "midi", "bus", "master"] as const, "audio"),
  role: f.choice(["vocals", "drums", "bass", "other", "full", "fx", "none"] as const, "none"),
  name: f.string(80, () => "Track"), color: f.pattern(COLOR, paletteColor), order: f.pattern(/^[0-9A-Za-z]{1,256}$/, strayOrder),
  parent: reference, gain_db: f.number(-96, 6, 0), pan: f.number(-1, 1, 0), mute: f.flag(false), output: f.string(160, () => MASTER), deleted: stamp,
} as const;

export const CLIP = {
  track: f.string(160, () => LOST), asset: f.string(160, empty), base: f.choice(["beats", "time"] as const, "beats"),
  pos: f.integer(-TICK_MAX, TICK_MAX, 0), in: content, out: f.integer(-CONTENT_MAX, CONTENT_MAX, 960), gain_db: f.number(-60, 12, 0),
  fade_in: fade, fade_out: fade, name: f.string(80, empty), color: f.pattern(COLOR, () => null), mute: f.flag(false),
  take: f.string(64, (id) => id.slice(0, 64)), deleted: stamp,
} as const;

export const EFFECT = { deleted: stamp } as const;

export const MARKER = {
  tick, end: f.integerOrNull(1, TICK_MAX), label: f.string(80, empty), color: f.pattern(COLOR, () => MARKER_COLOR),
  kind: f.choice(MARKER_KINDS, "cue"), deleted: stamp,
} as const;

export const NOTE = {
  anchor: f.leaf<Anchor>(f.isAnchor, ["t", 0]), track: reference, body: f.string(4000, empty), author: f.stringOrNull(64),
  at: f.integer(0, 2 ** 53, 0), parent: reference, resolved: stamp, deleted: stamp,
} as const;

export const TRANSPORT = {
  bpm: f.number(BPM.min, BPM.max, BPM.default), signature: f.leaf<Signature>(f.isSignatureLeaf, [4, 4]), loop: f.leaf<Loop>(f.isLoop, [0, 0, 3840]),
} as const;

export const TEMPO_ROW = f.row<readonly [tick: number, bpm: number, curve: number]>(tick, f.number(BPM.min, BPM.max, BPM.default), f.integer(0, 1, 0));
export const SIGNATURE_ROW = f.row<readonly [tick: number, num: number, den: number]>(tick, f.integer(1, 32, 4), f.choice(DENOMINATORS, 4));
export const POINT_ROW = f.row<readonly [tick: number, value: number, curve: number]>(tick, f.number(0, 1, 0), f.integer(0, 4, 0));

type Table = { readonly [key: string]: f.Spec<unknown> };
export type Known<T extends Table> = { readonly [key in keyof T]: ReturnType<T[key]> };

interface Read { readonly table: Table; readonly id: string; readonly known: Known<Table> }
/** An entity that did not change stays the same object: it need not be read again. */
const reads = new WeakMap<Entity, Read>();

/** All the fields a table knows, as a reader sees them. */
export function known<T extends Table>(table: T, id: string, fields: Entity): Known<T> {
  const read = reads.get(fields);
  if (read !== undefined && read.table === table && read.id === id) return read.known as Known<T>;
  const fresh = Object.fromEntries(Object.entries(table).map(([key, spec]) => [key, spec(fields[key], id)])) as Known<T>;
  reads.set(fields, { table, id, known: fresh });
  return fresh;
}

export function transport<K extends keyof typeof TRANSPORT>(document: Canonical, key: K): ReturnType<(typeof TRANSPORT)[K]> {
  return TRANSPORT[key](document.transport?.[key], key) as ReturnType<(typeof TRANSPORT)[K]>;
}

export const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
export const isEntity = (value: Json | undefined): value is Entity => typeof value === "object" && value !== null && !Array.isArray(value);

/** The entries of a root that are entities, by id; deleted ones too. */
export function entities(document: Canonical, root: Root): (readonly [string, Entity])[] {
  const found = Object.entries(document[root] ?? {}).filter((entry): entry is [string, Entity] => isEntity(entry[1]));
  return found.sort(([a], [b]) => compare(a, b));
}

export const isDeleted = (id: string, fields: Entity): boolean => stamp(fields["deleted"], id) !== null;

/** Id and fields of what is not deleted; the fixed tracks cannot be. */
export function living<T extends Table>(document: Canonical, root: Root, table: T): (readonly [string, Known<T>])[] {
  return entities(document, root)
    .filter(([id, fields]) => !isDeleted(id, fields) || id === MASTER || id === LOST)
    .map(([id, fields]) => [id, known(table, id, fields)] as const);
}

/** The readable rows of a leaf root by tick; of several at one tick the last id wins. */
export function rows<T extends readonly number[]>(document: Canonical, root: Root, spec: f.Spec<T | undefined>): readonly T[] {
  const found = Object.entries(document[root] ?? {}).flatMap(([id, value]) => {
    const read = spec(value, id);
    return read === undefined ? [] : [[id, read] as const];
  });
  found.sort(([a, x], [b, y]) => compare(x[0] as number, y[0] as number) || compare(a, b));
  return [...new Map(found.map(([, read]) => [read[0], read])).values()];
}
