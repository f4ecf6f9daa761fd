import assert from "node:assert/strict";
import test from "node:test";
import { ending, pause } from "../src/client/closing.ts";

test("whatever is not the page's fault is tried again, and a busy server less soon", () => {
  for (const code of [1000, 1001, 1006, 1011, 1012, 4503]) assert.deepEqual(ending(code), { kind: "retry", slow: false }, String(code));
  for (const code of [1013, 4429, 4500, 4513]) assert.deepEqual(ending(code), { kind: "retry", slow: true }, String(code));
});

test("what would be refused again is not tried again", () => {
  const kinds = { 4401: "ticket", 4408: "ticket", 4409: "epoch", 4400: "aside", 4413: "aside", 1009: "aside", 4403: "access", 4404: "over", 4499: "over" };
  for (const [code, kind] of Object.entries(kinds)) assert.equal(ending(Number(code)).kind, kind, code);
});

test("a reason says more than its code", () => {
  assert.equal(ending(4403, "restricted: mix only, not clips").kind, "aside");
  assert.equal(ending(4403, "access revoked").kind, "access");
  const full = ending(1013, "plan: 5 of 5 places taken (band)");
  assert.ok(full.kind === "retry" && full.slow && full.sentence !== undefined);
});

test("pauses double up to a limit, and chance spreads them so that a restart is not met by everybody at once", () => {
  assert.equal(pause(0, false, 0.999999).toFixed(0), "500");
  assert.equal(pause(3, false, 0), 400);
  assert.equal(pause(50, false, 0.999999).toFixed(0), "15000");
  assert.ok(pause(0, true, 0.5) > pause(0, false, 0.999));
  const many = Array.from({ length: 1000 }, (_, number) => pause(2, false, number / 1000));
  const busiest = Math.max(...[...Map.groupBy(many, (wait) => Math.floor(wait / 100)).values()].map((same) => same.length));
  assert.ok(busiest < 80, String(busiest));
});
