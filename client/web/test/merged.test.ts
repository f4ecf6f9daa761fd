import assert from "node:assert/strict";
import test from "node:test";
import * as Y from "yjs";
import * as edits from "../src/client/edits.ts";
import { Reunion, changes, mergedWords, type Merged } from "../src/client/merged.ts";
import { meet, peer } from "./peers.ts";

const since = (doc: Y.Doc, before: Uint8Array): Uint8Array => Y.encodeStateAsUpdate(doc, before);

test("a change is an entity that was made, or a field with a new value", () => {
  const ana = peer(1);
  const before = Y.encodeStateVector(ana.doc);
  const track = edits.addTrack(ana.pen, "Drums");
  edits.renameTrack(ana.pen, track, "Bass");
  assert.equal(changes(ana.doc, since(ana.doc, before)), 1);
  const then = Y.encodeStateVector(ana.doc);
  for (let gain = 0; gain < 38; gain++) edits.setTrackGain(ana.pen, track, -gain / 2);
  edits.renameTrack(ana.pen, track, "Bass 2");
  edits.setBpm(ana.pen, 99);
  assert.equal(changes(ana.doc, since(ana.doc, then)), 3);
});

/** Two people who worked apart; `ana` comes back. */
function apart(): { ana: ReturnType<typeof peer>; own: Uint8Array; others: Uint8Array } {
  const [ana, ben] = [peer(1), peer(2)];
  edits.addTrack(ana.pen, "Drums");
  meet(ana, ben);
  const before = Y.encodeStateVector(ana.doc);
  edits.addTrack(ana.pen, "Bass");
  edits.setBpm(ben.pen, 99);
  edits.addTrack(ben.pen, "Keys");
  edits.addTrack(ben.pen, "Voice");
  return { ana, own: since(ana.doc, before), others: since(ben.doc, before) };
}

test("S1: the report comes once, after both sides are here and the own ones are committed", () => {
  const { ana, own, others } = apart();
  const told: Merged[] = [];
  const reunion = new Reunion(ana.doc, (merged) => told.push(merged));
  reunion.got(others);
  reunion.sent(own);
  Y.applyUpdate(ana.doc, others);
  reunion.synced();
  assert.deepEqual(told, []);
  reunion.acknowledged(Uint8Array.of(9, 9));
  assert.deepEqual(told, []);
  reunion.acknowledged(own);
  assert.deepEqual(told, [{ own: 1, others: 3 }]);
  reunion.acknowledged(own);
  assert.equal(told.length, 1);
});

test("a connection that breaks before the commit reports nothing; the next one does", () => {
  const { ana, own, others } = apart();
  const told: Merged[] = [];
  const reunion = new Reunion(ana.doc, (merged) => told.push(merged));
  reunion.sent(own);
  reunion.closed();
  reunion.acknowledged(own);
  assert.deepEqual(told, []);
  Y.applyUpdate(ana.doc, others);
  reunion.got(others);
  reunion.sent(own);
  reunion.synced();
  reunion.acknowledged(own);
  assert.deepEqual(told, [{ own: 1, others: 3 }]);
});

test("a first visit is no return, and a short break without work is none either", () => {
  const { ana, own, others } = apart();
  const told: Merged[] = [];
  const reunion = new Reunion(new Y.Doc(), (merged) => told.push(merged));
  reunion.worked();
  for (const step of [others, own]) {
    reunion.got(step);
    reunion.sent(step);
    reunion.synced();
    reunion.acknowledged(step);
    reunion.closed();
  }
  assert.deepEqual(told, []);
  assert.ok(ana);
});

test("it is said in plain words", () => {
  assert.equal(mergedWords({ own: 38, others: 120 }), "Welcome back. Your 38 changes were merged with 120 by others.");
  assert.equal(mergedWords({ own: 1, others: 1 }), "Welcome back. Your change was merged with one by others.");
  assert.match(mergedWords({ own: 2, others: 0 }), /Your 2 changes were saved/);
});
