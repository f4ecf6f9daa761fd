import assert from "node:assert/strict";
import test from "node:test";
import * as edits from "../src/client/edits.ts";
import { canonical } from "../src/client/mirror.ts";
import { meet, peer } from "./peers.ts";

const bpm = (doc: Parameters<typeof canonical>[0]): unknown => canonical(doc).transport["bpm"];

test("U1: undo takes back one's own edit and leaves the other's", () => {
  const a = peer(1);
  const b = peer(2);
  const track = edits.addTrack(a.pen, "Bass");
  meet(a, b);
  edits.setTrackGain(a.pen, track, -3);
  edits.setTrackPan(b.pen, track, 0.5);
  meet(a, b);
  a.undo.undo();
  const { gain_db, pan } = canonical(a.doc).tracks[track] as { gain_db: number; pan: number };
  assert.deepEqual([gain_db, pan], [0, 0.5]);
});

test("U2: undo never overwrites what somebody set afterwards", () => {
  const a = peer(1);
  const b = peer(2);
  edits.setBpm(a.pen, 90);
  meet(a, b);
  edits.setBpm(b.pen, 140);
  meet(a, b);
  a.undo.undo();
  assert.equal(bpm(a.doc), 140);
});

test("C16: undoing a delete brings the clip back with the other's change", () => {
  const a = peer(1);
  const b = peer(2);
  const clip = edits.addClip(a.pen, { track: "t_x", start: 0, length: 960 });
  meet(a, b);
  edits.deleteClips(a.pen, [clip]);
  edits.setClipGain(b.pen, clip, -9);
  meet(a, b);
  a.undo.undo();
  meet(a, b);
  const { deleted, gain_db } = canonical(b.doc).clips[clip] as { deleted: unknown; gain_db: number };
  assert.deepEqual([deleted, gain_db], [null, -9]);
});

test("two gestures within a moment are two steps, and redo brings both back", () => {
  const a = peer(1);
  edits.setBpm(a.pen, 90);
  edits.setBpm(a.pen, 100);
  a.undo.undo();
  assert.equal(bpm(a.doc), 90);
  a.undo.redo();
  assert.equal(bpm(a.doc), 100);
});
