import assert from "node:assert/strict";
import test from "node:test";
import * as edits from "../src/client/edits.ts";
import { canonical } from "../src/client/mirror.ts";
import { TempoMap } from "../src/client/tempo.ts";
import { view } from "../src/client/view.ts";
import { meet, peer, state, type TestPeer } from "./peers.ts";

const tempo = new TempoMap([[0, 120, 0]]);
const ORDERS = [[1, 2], [2, 1]] as const;

/** Two peers that both hold one track and one clip of sixteen beats, for both orders of client id. */
function pairs(run: (a: TestPeer, b: TestPeer, clip: string, track: string) => void): void {
  for (const [one, two] of ORDERS) {
    const seed = peer(3);
    const track = edits.addTrack(seed.pen, "Drums");
    const clip = edits.addClip(seed.pen, { track, start: 0, length: 16 * 960 });
    const a = peer(one, seed.doc);
    const b = peer(two, seed.doc);
    run(a, b, clip, track);
    meet(a, b);
    assert.deepEqual(state(a), state(b));
  }
}

const ranges = (one: TestPeer): number[][] => view(canonical(one.doc)).clips.map((clip) => [clip.start / 960, clip.end / 960]);

test("C5: a move and a left trim are both kept", () => {
  pairs((a, b, clip) => {
    edits.moveClips(a.pen, [clip], 4 * 960);
    edits.trimLeft(b.pen, clip, 2 * 960, tempo);
    meet(a, b);
    assert.deepEqual(ranges(a), [[6, 20]]);
  });
});

test("C6: trims of both sides are both kept", () => {
  pairs((a, b, clip) => {
    edits.trimLeft(a.pen, clip, 2 * 960, tempo);
    edits.trimRight(b.pen, clip, 12 * 960, tempo);
    meet(a, b);
    assert.deepEqual(ranges(a), [[2, 12]]);
  });
});

test("C8: splits at two places make three abutting clips", () => {
  pairs((a, b, clip) => {
    edits.splitClip(a.pen, clip, 8 * 960, tempo);
    edits.splitClip(b.pen, clip, 12 * 960, tempo);
    meet(a, b);
    assert.deepEqual(ranges(a), [[0, 8], [8, 12], [12, 16]]);
  });
});

test("C9: splits at one place make two clips", () => {
  pairs((a, b, clip) => {
    edits.splitClip(a.pen, clip, 8 * 960, tempo);
    edits.splitClip(b.pen, clip, 8 * 960, tempo);
    meet(a, b);
    assert.deepEqual(ranges(a), [[0, 8], [8, 16]]);
  });
});

test("C10: a split and a move leave an overlap, nothing is cut", () => {
  pairs((a, b, clip) => {
    edits.splitClip(a.pen, clip, 8 * 960, tempo);
    edits.moveClips(b.pen, [clip], 4 * 960);
    meet(a, b);
    assert.deepEqual(ranges(a), [[4, 12], [8, 16]]);
  });
});

test("C13: one whole drag wins, never half of each", () => {
  pairs((a, b, clip) => {
    edits.moveClips(a.pen, [clip], 16 * 960, "t_two");
    edits.moveClips(b.pen, [clip], 32 * 960, "t_three");
    meet(a, b);
    const { track, pos } = canonical(a.doc).clips[clip] as { track: string; pos: number };
    assert.ok((track === "t_two" && pos === 16 * 960) || (track === "t_three" && pos === 32 * 960));
  });
});

test("C14: what somebody did to a clip that was deleted shows after undelete", () => {
  pairs((a, b, clip) => {
    edits.deleteClips(a.pen, [clip]);
    edits.setClipGain(b.pen, clip, -9);
    meet(a, b);
    assert.deepEqual(ranges(b), []);
    edits.undeleteClips(a.pen, [clip]);
    assert.equal((canonical(a.doc).clips[clip] as { gain_db: number }).gain_db, -9);
  });
});

test("C17: copies have lineages of their own", () => {
  pairs((a, b, clip) => {
    edits.copyClips(a.pen, [clip], 0);
    edits.copyClips(b.pen, [clip], 0);
    meet(a, b);
    assert.deepEqual(ranges(a), [[0, 16], [0, 16], [0, 16]]);
  });
});

test("T1 and T2: inserting and moving tracks ends in one order with every track once", () => {
  pairs((a, b, _clip, track) => {
    const x = edits.addTrack(a.pen, "X", track);
    const y = edits.addTrack(b.pen, "Y", track);
    meet(a, b);
    edits.moveTrack(a.pen, x, y);
    edits.moveTrack(b.pen, y, x);
    meet(a, b);
    const names = view(canonical(a.doc)).tracks.map((shown) => shown.id);
    assert.deepEqual(names.toSorted(), [track, x, y].toSorted());
    assert.deepEqual(names, view(canonical(b.doc)).tracks.map((shown) => shown.id));
  });
});

test("T4: clips of a deleted track hide with it and return with it", () => {
  pairs((a, b, _clip, track) => {
    edits.deleteTrack(a.pen, track);
    edits.addClip(b.pen, { track, start: 20 * 960, length: 960 });
    meet(a, b);
    assert.deepEqual(ranges(a), []);
    edits.undeleteTrack(b.pen, track);
    assert.equal(ranges(b).length, 2);
  });
});

test("growing a left half over its right half takes the right half along", () => {
  pairs((a, _b, clip) => {
    edits.splitClip(a.pen, clip, 8 * 960, tempo);
    edits.trimRight(a.pen, clip, 12 * 960, tempo);
    assert.deepEqual(ranges(a), [[0, 12], [12, 16]]);
    edits.trimRight(a.pen, clip, 16 * 960, tempo);
    assert.deepEqual(ranges(a), [[0, 16]]);
    assert.ok(edits.splitClip(a.pen, clip, 8 * 960, tempo));
    assert.deepEqual(ranges(a), [[0, 8], [8, 16]]);
  });
});

test("N1: both people's words survive in a note, code points whole", () => {
  for (const [one, two] of ORDERS) {
    const seed = peer(3);
    const note = edits.addNote(seed.pen, { body: "déjà 😀 vu", anchor: ["t", 0, null] });
    const a = peer(one, seed.doc);
    const b = peer(two, seed.doc);
    edits.editNote(a.pen, note, "déjà 😁 vu");
    edits.editNote(b.pen, note, "déjà 😀 vu, twice");
    meet(a, b);
    const body = view(canonical(a.doc)).notes[0]?.body ?? "";
    assert.equal(body, "déjà 😁 vu, twice");
    assert.ok(body.isWellFormed());
  }
});
