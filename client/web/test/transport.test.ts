/** The transport, the clock and the clicks: what the server computes is what is heard. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import type { Canonical } from "../src/client/schema.ts";
import { Clock, sample } from "../src/transport/clock.ts";
import { clicks } from "../src/transport/clicks.ts";
import type { Control } from "../src/transport/control.ts";
import { controlUrl } from "../src/transport/control.ts";
import { correction, joinsAt } from "../src/transport/correction.ts";
import { Deck, type Stage } from "../src/transport/deck.ts";
import { documentTime, holding, modeAt, position, positionOf, type Followed, type Mode, type Transport } from "../src/transport/state.ts";

const vectors = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../../../tests/studio/vectors/${name}.json`, import.meta.url), "utf8")) as T;
const near = (a: number, b: number, by: number, what = ""): void => assert.ok(Math.abs(a - b) <= by, `${what}: ${a} is not ${b}`);
const canonical = (part: object): Canonical => ({ transport: {}, tempo: {}, signatures: {}, ...part }) as unknown as Canonical;

interface Case { readonly name: string; readonly canonical: object; readonly state: Transport; readonly positions: [number, Mode, number][] }

for (const { name, canonical: document, state, positions } of vectors<Case[]>("transport")) {
  test(`transport: ${name}`, () => {
    const time = documentTime(canonical(document));
    assert.equal(time.rev, state.tempo_rev);
    for (const [now, mode, tick] of positions) {
      assert.equal(modeAt(state, now), mode);
      near(position(state, time.tempo, now), tick, 1e-6 + Math.abs(tick) * 1e-12, `at ${now}`);
    }
  });
}

interface Steps { readonly name: string; readonly steps: { readonly sample: [number, number, number, number]; readonly restart?: boolean; readonly jump: number; readonly readings: [number, number][] }[] }

for (const { name, steps } of vectors<Steps[]>("clock")) {
  test(`clock: ${name}`, () => {
    const clock = new Clock();
    for (const step of steps) {
      if (step.restart === true) clock.restart();
      near(clock.hear(sample(...step.sample)), step.jump, 1e-6);
      for (const [local, now] of step.readings) near(clock.now(local), now, 1e-3);
    }
  });
}

test("X9: half an hour on a network with spikes, off by 500 ms and drifting: never backwards, off by at most half the way and 2 ms", () => {
  const clock = new Clock();
  let [seed, real, read] = [7, 0, 0];
  const dice = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const way = (): number => 15 - 3 * Math.log(dice()) + (dice() < 0.05 ? 50 + 350 * dice() : 0);
  const here = (): number => real * (1 + 50e-6) + 500;
  for (let pings = 0; pings < 380; pings += 1) {
    const c = here();
    real += way();
    const there = real;
    real += way();
    clock.hear(sample(c, there, there, here()));
    for (let step = 0; step < 10; step += 1) {
      if (pings >= 16) {
        assert.ok(clock.now(here()) >= read);
        near(clock.now(here()), real, 15 + 2);
      }
      read = clock.now(here());
      real += pings < 16 ? 5 : 500;
    }
  }
});

const time = documentTime(canonical({ transport: { bpm: 120, signature: [3, 4] } }));
const state = (changes: Partial<Transport>): Transport => ({ epoch: "e", seq: 1, mode: "playing", t0: 1000, pos0: 0, rate: 1, loop: [0, 0, 3840], tempo_rev: time.rev, count_in_ms: 0, by: null, cause: "play", ...changes });
const alone = (changes: Partial<Transport>): Followed => ({ state: state(changes), time, before: null });

test("a metronome clicks on every beat, louder on the first of a bar", () => {
  const found = clicks(alone({}), 0, 3000);
  assert.deepEqual(found.map(({ at, tick, accent }) => [at, tick, accent]), [[1000, 0, true], [1500, 960, false], [2000, 1920, false], [2500, 2880, true]]);
});

test("windows that touch have every click once, through a loop", () => {
  const followed = alone({ pos0: 480, loop: [1, 960, 2880] });
  const whole = clicks(followed, 0, 60_000).map(({ at }) => at);
  const parts: number[] = [];
  for (let from = 0; from < 60_000; from += 137) parts.push(...clicks(followed, from, Math.min(60_000, from + 137)).map(({ at }) => at));
  assert.deepEqual(parts, whole);
  whole.forEach((at, index) => near(at, 1250 + index * 500, 1e-6));
  assert.deepEqual(clicks(followed, 0, 3000).map(({ tick }) => tick), [960, 1920, 960, 1920]);
});

test("a ramp's clicks are where the position says", () => {
  const ramp = documentTime(canonical({ tempo: { a: [0, 60, 1], b: [7680, 180, 0] } }));
  const followed = { state: state({ tempo_rev: ramp.rev, rate: 1.5 }), time: ramp, before: null };
  for (const { at, tick } of clicks(followed, 0, 20_000)) near(position(followed.state, ramp.tempo, at), tick ?? -1, 1e-6);
});

test("a count-in clicks its bars before the start, from the state alone", () => {
  const found = clicks(alone({ mode: "counting_in", t0: 4000, count_in_ms: 3000 }), 0, 4600);
  assert.deepEqual(found.map(({ at, tick, accent }) => [at, tick, accent]), [
    [1000, null, true], [1500, null, false], [2000, null, false], [2500, null, true], [3000, null, false], [3500, null, false], [4000, 0, true], [4500, 960, false],
  ]);
});

test("X4: until a new anchor is due the old state goes on, and there is no jump at it", () => {
  const faster = documentTime(canonical({ transport: { bpm: 150 } }));
  const before = { state: state({}), time };
  const anchor = position(before.state, time.tempo, 3000);
  const followed: Followed = { state: state({ t0: 3000, pos0: anchor, tempo_rev: faster.rev, cause: "tempo" }), time: faster, before };
  assert.equal(holding(followed, 2999).state, before.state);
  near(positionOf(followed, 3000.001) - positionOf(followed, 2999.999), 0, 1);
  const found = clicks(followed, 900, 6000).map(({ at }) => at);
  found.forEach((at, index) => near(at, index <= 4 ? 1000 + index * 500 : 3000 + (index - 4) * 400, 1e-6));
});

test("a stop holds at once, whatever was before", () => {
  const followed: Followed = { state: state({ mode: "stopped", t0: 3000, pos0: 77 }), time, before: { state: state({}), time } };
  assert.equal(positionOf(followed, 2990), 77);
  assert.deepEqual(clicks(followed, 0, 9000), []);
});

test("corrections: small ones are left, middling ones bent or mended at a line, large ones jumped", () => {
  assert.deepEqual(correction(15, false), { kind: "none" });
  assert.deepEqual(correction(-60, false), { kind: "bend", rate: 0.995 });
  assert.deepEqual(correction(60, false), { kind: "bend", rate: 1.005 });
  assert.deepEqual(correction(60, true), { kind: "jump", crossfade_ms: 10 });
  assert.deepEqual(correction(-81, false), { kind: "jump", crossfade_ms: 10 });
  assert.equal(joinsAt(1000, [{ at: 1299 }, { at: 1300 }]), 1300);
});

test("the control socket stands beside the document's", () => {
  assert.equal(controlUrl("wss://x/y/0b", "a b"), "wss://x/ctl/0b?token=a%20b");
});

/** A room that says what it is told to. */
function rig(room: Followed | null, may: boolean): { deck: Deck; sent: object[]; shown: Map<string, Transport>; tell: () => void; clock: { ms: number } } {
  const sent: object[] = [];
  const shown = new Map<string, Transport>();
  const listeners = new Set<() => void>();
  const at = { ms: 5000 };
  const clock = new Clock();
  clock.hear(sample(0, 0, 0, 0));
  const control = {
    clock, room, may, now: () => at.ms, follow: () => undefined, subscribe: () => () => undefined, close: () => undefined,
    command: (command: object) => (sent.push(command), Promise.resolve(null)),
  } as unknown as Control;
  const stage: Stage = {
    show: () => undefined, shown: (user) => shown.get(user) ?? null,
    subscribe: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
  };
  const deck = new Deck({ control, stage, time: () => time, loop: () => [0, 0, 3840], now: () => at.ms });
  return { deck, sent, shown, tell: () => listeners.forEach((listener) => listener()), clock: at };
}

test("X7: a page that opens touches nothing: it plays its own transport, stopped at the beginning", () => {
  const { deck, sent } = rig(alone({}), true);
  assert.deepEqual([deck.following, deck.plays, deck.position, sent.length], ["local", false, 0, 0]);
  deck.play(960);
  deck.stop();
  assert.equal(sent.length, 0);
});

test("with the room, buttons are commands: absolute, never a toggle", () => {
  const { deck, sent } = rig(alone({}), true);
  deck.follow("room");
  deck.toggle();
  deck.seek(1920);
  assert.deepEqual(sent, [{ t: "stop" }, { t: "seek", pos: 1920 }]);
  assert.equal(deck.plays, true);
});

test("X11: a follower who presses stop only leaves", () => {
  for (const following of ["room", "user:ada"] as const) {
    const { deck, sent, shown, clock } = rig(alone({}), false);
    shown.set("ada", state({}));
    deck.follow(following);
    assert.equal(deck.plays, true);
    const there = deck.position;
    clock.ms += 500;
    deck.stop();
    assert.deepEqual([deck.following, deck.plays, sent.length], ["local", false, 0]);
    near(deck.position, there + 960, 1e-6);
  }
});

test("when the leader stops, followers stop, and go on following", () => {
  const { deck, shown, tell } = rig(alone({}), true);
  shown.set("ada", state({}));
  deck.follow("user:ada");
  shown.set("ada", state({ seq: 2, mode: "stopped", pos0: 77 }));
  tell();
  assert.deepEqual([deck.following, deck.plays, deck.position], ["user:ada", false, 77]);
});

test("X12: when the leader leaves, what sounded goes on, with the room if that plays", () => {
  const silent = rig(alone({ mode: "stopped" }), true);
  silent.shown.set("ada", state({ pos0: 480 }));
  silent.deck.follow("user:ada");
  const there = silent.deck.position;
  silent.shown.delete("ada");
  silent.tell();
  assert.deepEqual([silent.deck.following, silent.deck.plays, silent.deck.position], ["local", true, there]);
  const playing = rig(alone({}), true);
  playing.shown.set("ada", state({ pos0: 480 }));
  playing.deck.follow("user:ada");
  playing.shown.delete("ada");
  playing.tell();
  assert.deepEqual([playing.deck.following, playing.deck.plays], ["room", true]);
});
