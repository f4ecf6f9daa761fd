/** A held track is barred to everybody but its holder, whatever part of it a gesture would touch. */

import assert from "node:assert/strict";
import test from "node:test";
import { barrier, locksOf, ofClip, ofDeleted, ofMarker, ofSong, ofTrack, type Touch, type Who } from "../src/client/rights.ts";
import type { Canonical } from "../src/client/schema.ts";

const document = { tracks: { t_1: { lock: ["ben", 2000] }, t_2: { lock: ["ben", 900] }, t_3: {}, odd: 5 } } as unknown as Canonical;
const locks = locksOf(document, 1000);
const ann: Who = { user: "ann", role: "owner", restriction: null };

const stopped = (who: Who, touch: Touch): string | null => barrier(who, touch, locks)?.kind ?? null;

test("whatever belongs to a held track is barred to others, the owner too, who has to break the lock first", () => {
  const held: Touch[] = [
    ofTrack("t_1", "mute"), ofClip("t_1"), ofClip("t_1", "t_3"), ofClip("t_3", "t_1"), ofClip(null, "t_1"),
    { root: "lanes", id: "t_1.gain", key: "mode" }, { root: "points", id: "", key: "t_1.gain/p_1" }, { root: "sends", id: "t_1>t_3", key: "gain_db" },
    ofDeleted("effects", "e_1", { track: "t_1" }), ofDeleted("tracks", "t_1", {}),
  ];
  for (const touch of held) {
    assert.deepEqual(barrier(ann, touch, locks), { kind: "lock", track: "t_1", lock: { user: "ben", until: 2000 } }, JSON.stringify(touch));
    assert.equal(stopped({ ...ann, user: "ben" }, touch), null);
  }
});

test("what a lock does not hold stays free: other tracks, talk, markers, the song, and a lock that has run out", () => {
  const free: Touch[] = [ofTrack("t_2", "mute"), ofTrack("t_3", "mute"), ofClip("t_2", "t_3"), ofMarker, ofSong("bpm"), { root: "notes", id: "n_1", key: "body" }, { root: "sends", id: "t_3>t_1", key: "gain_db" }];
  for (const touch of free) assert.equal(stopped(ann, touch), null, JSON.stringify(touch));
});

test("the role is told before the restriction, and that before a lock", () => {
  const narrowed: Who = { user: "ann", role: "editor", restriction: { only: "markers" } };
  assert.equal(stopped({ ...narrowed, role: "viewer" }, ofTrack("t_1", "mute")), "role");
  assert.equal(stopped(narrowed, ofTrack("t_1", "mute")), "restriction");
  assert.equal(stopped({ ...narrowed, restriction: { only: "mix" } }, ofTrack("t_1", "mute")), "lock");
});
