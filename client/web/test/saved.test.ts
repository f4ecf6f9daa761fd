import assert from "node:assert/strict";
import test from "node:test";
import { Saved } from "../src/client/saved.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const EMPTY = bytes(0, 0);

function connected(): Saved {
  const saved = new Saved();
  saved.opened();
  saved.sentStep2(EMPTY);
  return saved;
}

test("the light says saved only after the server has asked and was answered", () => {
  const saved = new Saved();
  assert.equal(saved.light, "offline");
  saved.opened();
  assert.equal(saved.light, "saving");
  saved.sentStep2(EMPTY);
  assert.equal(saved.light, "saved");
});

test("an update is saving until the same bytes come back", () => {
  const saved = connected();
  saved.sentUpdate(bytes(1, 2, 3));
  assert.equal(saved.light, "saving");
  assert.equal(saved.received(bytes(9, 9)), false);
  assert.equal(saved.light, "saving");
  assert.equal(saved.received(bytes(1, 2, 3)), true);
  assert.equal(saved.light, "saved");
});

test("an acknowledgement covers what was sent before it, not what was sent after", () => {
  const saved = connected();
  saved.sentUpdate(bytes(1));
  saved.sentUpdate(bytes(2));
  saved.sentUpdate(bytes(3));
  saved.received(bytes(2));
  assert.equal(saved.light, "saving");
  saved.received(bytes(3));
  assert.equal(saved.light, "saved");
});

test("S13: what was not acknowledged before the connection broke stays unsaved until the next Step2 is", () => {
  const saved = connected();
  saved.sentUpdate(bytes(1));
  saved.closed();
  assert.equal(saved.light, "offline");
  assert.ok(saved.unsaved);
  saved.opened();
  saved.sentStep2(bytes(7, 7, 7));
  assert.equal(saved.light, "saving");
  saved.received(bytes(7, 7, 7));
  assert.equal(saved.light, "saved");
  assert.ok(!saved.unsaved);
});

test("an edit made offline is unsaved work", () => {
  const saved = new Saved();
  saved.edited();
  assert.ok(saved.unsaved);
});
