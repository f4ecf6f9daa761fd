/** What a document means is the same here and on the server: both are held to the same files. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { secureBelow } from "../src/client/ids.ts";
import { Meter } from "../src/client/meter.ts";
import { between } from "../src/client/order.ts";
import { LOCKABLE, allows, barrier, lockOf, reaches, type Action, type Who } from "../src/client/rights.ts";
import type { Canonical, Json, Root } from "../src/client/schema.ts";
import { TempoMap } from "../src/client/tempo.ts";
import * as valid from "../src/client/valid.ts";
import { view } from "../src/client/view.ts";

const vectors = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../../../tests/studio/vectors/${name}.json`, import.meta.url), "utf8")) as T;

const near = (a: number, b: number): boolean => a === b || Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));

/** Numbers within 1e-9, all else exactly; keys this side does not show are left out. */
function alike(ours: unknown, theirs: Json, path: string): void {
  if (typeof theirs === "number" && typeof ours === "number") return assert.ok(near(ours, theirs), `${path}: ${ours} is not ${theirs}`);
  if (theirs === null || typeof theirs !== "object") return assert.deepEqual(ours, theirs, path);
  if (Array.isArray(theirs)) {
    assert.equal((ours as unknown[]).length, theirs.length, `${path} has another length: ${JSON.stringify(ours)}`);
    return theirs.forEach((item: Json, at) => alike((ours as unknown[])[at], item, `${path}[${at}]`));
  }
  const mine = ours as { readonly [key: string]: unknown };
  for (const [key, value] of Object.entries(theirs)) if (key in mine || Object.keys(mine).length === 0) alike(mine[key], value, `${path}.${key}`);
}

for (const { name, canonical, view: expected } of vectors<{ name: string; canonical: Canonical; view: { [part: string]: Json } }[]>("view")) {
  test(`view: ${name}`, () => {
    const ours = view(canonical) as unknown as { readonly [part: string]: unknown };
    for (const [part, theirs] of Object.entries(expected)) alike(ours[part], theirs, part);
    for (const part of ["lanes", "sounding"]) assert.deepEqual(Object.keys(ours[part] as object).sort(), Object.keys(expected[part] as object).sort());
  });
}

interface Time { readonly name: string; readonly canonical: Canonical; readonly seconds: [number, number][]; readonly bars: [number, number, number, number][] }

for (const { name, canonical, seconds, bars } of vectors<Time[]>("tempo")) {
  test(`tempo: ${name}`, () => {
    const map = TempoMap.of(canonical);
    const meter = Meter.of(canonical);
    for (const [tick, second] of seconds) {
      assert.ok(near(map.seconds(tick), second), `second of ${tick}: ${map.seconds(tick)} is not ${second}`);
      assert.ok(near(map.tick(second), tick), `tick of ${second}: ${map.tick(second)} is not ${tick}`);
    }
    for (const [tick, bar, beat, rest] of bars) assert.deepEqual(meter.position(tick), { bar, beat, ticks: rest });
  });
}

interface Order { readonly sorted: string[][]; readonly between: [string | null, string | null][]; readonly impossible: [string, string][]; readonly crowds: { inserts: number; side: "left" | "right" }[] }

test("order keys sort, fit between, are refused and crowd as the server's do", () => {
  const order = vectors<Order>("order");
  for (const list of order.sorted) assert.deepEqual(list.toSorted(valid.compare), list);
  for (const [a, b] of order.between) {
    const key = between(a, b, secureBelow);
    assert.ok((a === null || a < key) && (b === null || key < b) && !key.endsWith("0"), `${a} < ${key} < ${b}`);
  }
  for (const [a, b] of order.impossible) assert.throws(() => between(a, b, secureBelow), RangeError);
  for (const { inserts, side } of order.crowds) {
    let [low, high] = ["V", "W"];
    for (let round = 0; round < inserts; round += 1) {
      const key = between(low, high, secureBelow);
      assert.ok(low < key && key < high && key.length <= 256);
      if (side === "left") high = key;
      else low = key;
    }
  }
});

const TABLES: { readonly [root: string]: { readonly [key: string]: (value: Json, id: string) => unknown } } = {
  tracks: valid.TRACK, clips: valid.CLIP, markers: valid.MARKER, notes: valid.NOTE, effects: valid.EFFECT, transport: valid.TRANSPORT,
};

test("a field reads as what repair would make of it", () => {
  let checked = 0;
  for (const { root, id, key, value, reads } of vectors<{ root: string; id: string; key: string; value: Json; reads: Json }[]>("fields")) {
    const spec = TABLES[root]?.[key];
    if (spec === undefined) continue;
    alike(spec(value, id), reads, `${root}.${key} of ${JSON.stringify(value)}`);
    checked += 1;
  }
  assert.ok(checked > 50, `${checked} fields were compared`);
});

interface Rights {
  readonly touches: { name: string; role: Who["role"]; restriction: Who["restriction"]; touch: [Root, string, string]; before: string | null; after: string | null; may: boolean }[];
  readonly actions: { restriction: Who["restriction"]; action: Action; may: boolean }[];
  readonly holds: { restriction: Who["restriction"]; track: string; may: boolean }[];
  readonly locks: { value: Json; now: number; lock: [string, number] | null }[];
  readonly lockable: Root[];
}

test("role, restriction and locks let people do what the server does", () => {
  const rights = vectors<Rights>("rights");
  for (const { name, role, restriction, touch: [root, id, key], before, after, may } of rights.touches) {
    const barred = barrier({ user: "me", role, restriction }, { root, id, key, tracks: [before, after] }, new Map());
    assert.equal(barred === null, may, name);
    if (barred !== null) assert.equal(barred.kind, role === "editor" ? "restriction" : "role", name);
  }
  for (const { restriction, action, may } of rights.actions) assert.equal(allows(restriction, action), may, `${action} with ${JSON.stringify(restriction)}`);
  for (const { restriction, track, may } of rights.holds) assert.equal(reaches(restriction, track), may, `${track} with ${JSON.stringify(restriction)}`);
  for (const { value, now, lock } of rights.locks) assert.deepEqual(lockOf(value, now), lock === null ? null : { user: lock[0], until: lock[1] }, JSON.stringify(value));
  assert.deepEqual(LOCKABLE.toSorted(), rights.lockable.toSorted());
});
