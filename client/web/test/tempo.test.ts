import assert from "node:assert/strict";
import test from "node:test";
import * as Y from "yjs";
import { Meter } from "../src/client/meter.ts";
import { canonical } from "../src/client/mirror.ts";
import { TempoMap } from "../src/client/tempo.ts";

const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

test("at 120 beats per minute a bar of four takes two seconds", () => {
  near(new TempoMap([[0, 120, 0]]).seconds(3840), 2);
  near(new TempoMap([[0, 120, 0]]).tick(2), 3840);
});

test("a ramp is linear in beats, so its time is a logarithm", () => {
  const map = new TempoMap([[0, 60, 1], [3840, 120, 0]]);
  near(map.seconds(3840), (60 * 4) / 60 * Math.log(2));
  near(map.bpmAt(1920), 90);
  for (const tick of [0, 100, 1920, 3839, 3840, 9000]) near(map.tick(map.seconds(tick)), tick);
});

test("T12: of points at one tick the last id wins", () => {
  const tempo = { p_b: [0, 60, 0], p_a: [0, 240, 0] };
  near(TempoMap.of({ ...canonical(new Y.Doc()), tempo }).seconds(960), 1);
});

test("T14: bars follow the signature changes", () => {
  const meter = new Meter([[0, 4, 4], [7680, 3, 4]]);
  assert.equal(meter.label(0), "1.1");
  assert.equal(meter.label(7680), "3.1");
  assert.equal(meter.label(7680 + 2880), "4.1");
  assert.deepEqual([...meter.lines(3840, 14000, false)].map((line) => line.tick), [3840, 7680, 10560, 13440]);
  assert.equal(meter.snap(7680 + 1500, "bar"), 10560);
});
