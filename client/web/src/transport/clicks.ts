/** When a metronome clicks: the moments of the beats between two times, through loops, ramps and count-ins. Pure. */

import { PPQ } from "../client/schema.ts";
import { holding, type Followed, type Time, type Transport } from "./state.ts";

/** `at` in the server's ms; `tick` null in a count-in. */
export interface Click { readonly at: number; readonly tick: number | null; readonly accent: boolean }

interface Pass { readonly at: number; readonly from: number; readonly to: number }

/** Clicks in [from, to). */
export function clicks(followed: Followed, from: number, to: number): Click[] {
  const { state, time, before } = followed;
  if (before === null || holding(followed, from) !== before) return of(state, time, from, to);
  return [...of(before.state, before.time, from, Math.min(to, state.t0)), ...of(state, time, Math.max(from, state.t0), to)];
}

function of(state: Transport, time: Time, from: number, to: number): Click[] {
  if (state.mode === "stopped" || to <= from) return [];
  const found = state.mode === "counting_in" ? countIn(state, time).filter(({ at }) => at >= from && at < to) : [];
  for (const pass of passes(state, time, Math.max(from, state.t0), to)) found.push(...within(pass, state, time, from, to));
  return found;
}

function countIn(state: Transport, time: Time): Click[] {
  const [num, den] = time.meter.signatureAt(state.pos0);
  const beat = ((60_000 / time.tempo.bpmAt(state.pos0)) * 4) / den / state.rate;
  const count = Math.round(state.count_in_ms / beat);
  return Array.from({ length: count }, (_, index) => ({ at: state.t0 - (count - index) * beat, tick: null, accent: index % num === 0 }));
}

/** The stretches without a jump that overlap [from, to): the way to the loop's end, and each round of the loop. */
function* passes(state: Transport, time: Time, from: number, to: number): Generator<Pass> {
  const [on, start, end] = state.loop;
  if (on !== 1 || state.pos0 >= end) return void (yield { at: state.t0, from: state.pos0, to: Infinity });
  const seconds = (tick: number): number => time.tempo.seconds(tick);
  const first = state.t0 + ((seconds(end) - seconds(state.pos0)) * 1000) / state.rate;
  if (from < first) yield { at: state.t0, from: state.pos0, to: end };
  const round = ((seconds(end) - seconds(start)) * 1000) / state.rate;
  for (let index = Math.max(0, Math.floor((from - first) / round)); first + index * round < to; index += 1) yield { at: first + index * round, from: start, to: end };
}

function within(pass: Pass, { rate }: Transport, { tempo, meter }: Time, from: number, to: number): Click[] {
  const start = tempo.seconds(pass.from);
  const tickAt = (now: number): number => tempo.tick(start + (Math.max(0, now - pass.at) / 1000) * rate);
  const low = Math.max(pass.from, tickAt(from) - PPQ / 64);
  const high = Math.min(pass.to, tickAt(to) + PPQ / 64);
  const found: Click[] = [];
  for (const { tick, beat } of meter.lines(low, high, true)) {
    const at = pass.at + ((tempo.seconds(tick) - start) * 1000) / rate;
    if (tick >= pass.from && tick < pass.to && at >= from && at < to) found.push({ at, tick, accent: beat === 1 });
  }
  return found;
}
