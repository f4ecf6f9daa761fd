import assert from "node:assert/strict";
import test from "node:test";
import * as edits from "../src/client/edits.ts";
import { canonical } from "../src/client/mirror.ts";
import { changedWords } from "../src/page/panels/words.ts";
import { spelled } from "../src/page/state/commands.ts";
import { peer } from "./peers.ts";

test("the paths of a change are told in words, each thing once", () => {
  const { doc, pen } = peer(1);
  const track = edits.addTrack(pen, "Drums");
  const paths = ["transport/bpm", `tracks/${track}/gain_db`, `tracks/${track}/pan`, "clips/c_gone/pos"];
  assert.deepEqual(changedWords(canonical(doc), paths), ["project: tempo", "track “Drums”: gain, pan", "clip: position"]);
  assert.deepEqual(changedWords(canonical(doc), paths, 1), ["project: tempo", "2 more"]);
});

test("keys are spelled as the table of shortcuts spells them", () => {
  const key = (name: string, ...held: string[]): string =>
    spelled({ key: name, ctrlKey: held.includes("ctrl"), metaKey: held.includes("meta"), shiftKey: held.includes("shift"), altKey: held.includes("alt") });
  assert.equal(key("Z", "shift", "meta"), "Shift+Ctrl+Z");
  assert.equal(key("?", "shift"), "?");
  assert.equal(key("ArrowLeft", "alt"), "Alt+ArrowLeft");
});
