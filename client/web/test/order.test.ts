import assert from "node:assert/strict";
import test from "node:test";
import { secureBelow } from "../src/client/ids.ts";
import { between } from "../src/client/order.ts";

const low = (): number => 0;
const high = (bound: number): number => bound - 1;

test("a key stands strictly between its neighbours, whatever the jitter", () => {
  for (const jitter of [low, high]) {
    for (const [a, b] of [[null, null], ["V", null], [null, "V"], ["V1", "V2"], ["zz", null], ["1", "11"]] as const) {
      const key = between(a, b, jitter);
      assert.ok((a === null || a < key) && (b === null || key < b), `${a} < ${key} < ${b}`);
      assert.ok(!key.endsWith("0"));
    }
  }
});

test("T10: a thousand inserts into one gap stay strictly ordered and within 256 characters", () => {
  let [left, right] = ["V", "W"];
  for (let round = 0; round < 1000; round += 1) {
    const key = between(left, right, secureBelow);
    assert.ok(left < key && key < right);
    left = key;
  }
  assert.ok(left.length <= 256, `${left.length} characters`);
});

test("neighbours in the wrong order are refused", () => {
  assert.throws(() => between("b", "a", low), RangeError);
  assert.throws(() => between("a", "a", low), RangeError);
});
