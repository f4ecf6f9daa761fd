/** Bars and beats: where bar lines stand, how a tick is written, what the grid snaps to. */

import { PPQ, type Canonical, type Json, type Signature } from "./schema.ts";

interface Stretch { readonly tick: number; readonly bar: number; readonly num: number; readonly den: number }
export interface Position { readonly bar: number; readonly beat: number; readonly ticks: number }
export interface GridLine { readonly tick: number; readonly bar: number; readonly beat: number }

const beatTicks = (stretch: Stretch): number => (PPQ * 4) / stretch.den;
const barTicks = (stretch: Stretch): number => beatTicks(stretch) * stretch.num;

function isSignature(leaf: Json | undefined): leaf is readonly [number, number] {
  return Array.isArray(leaf) && leaf.length === 2 && leaf.every((part) => typeof part === "number" && part > 0);
}

function changes(signatures: { readonly [id: string]: Json }): (readonly [number, number, number])[] {
  return Object.entries(signatures)
    .filter((entry): entry is [string, readonly [number, number, number]] =>
      Array.isArray(entry[1]) && entry[1].length === 3 && isSignature(entry[1].slice(1)))
    .sort(([a, x], [b, y]) => x[0] - y[0] || (a < b ? -1 : 1))
    .map(([, leaf]) => leaf);
}

export class Meter {
  readonly #stretches: readonly Stretch[];

  constructor(base: Signature, signatures: { readonly [id: string]: Json } = {}) {
    let stretches: Stretch[] = [{ tick: 0, bar: 1, num: base[0], den: base[1] }];
    for (const [tick, num, den] of changes(signatures)) {
      const last = stretches.at(-1) as Stretch;
      const bar = last.bar + Math.ceil((tick - last.tick) / barTicks(last));
      if (tick === last.tick) stretches = stretches.slice(0, -1);
      stretches.push({ tick, bar, num, den });
    }
    this.#stretches = stretches;
  }

  static of(document: Canonical): Meter {
    const base = document.transport["signature"];
    return new Meter(isSignature(base) ? base : [4, 4], document.signatures);
  }

  #at(tick: number): Stretch {
    return this.#stretches.findLast((stretch) => stretch.tick <= tick) ?? (this.#stretches[0] as Stretch);
  }

  signatureAt(tick: number): Signature {
    const { num, den } = this.#at(tick);
    return [num, den];
  }

  barTicksAt(tick: number): number {
    return barTicks(this.#at(tick));
  }

  /** 1-based bar and beat. */
  position(tick: number): Position {
    const stretch = this.#at(tick);
    const beats = Math.floor((tick - stretch.tick) / beatTicks(stretch));
    const bar = stretch.bar + Math.floor(beats / stretch.num);
    const beat = 1 + (((beats % stretch.num) + stretch.num) % stretch.num);
    return { bar, beat, ticks: tick - stretch.tick - beats * beatTicks(stretch) };
  }

  /** "5.3" for the third beat of bar five; a rest in hundredths of a beat when it is off the beat. */
  label(tick: number): string {
    const { bar, beat, ticks } = this.position(tick);
    const hundredths = Math.round((ticks / beatTicks(this.#at(tick))) * 100);
    return hundredths === 0 ? `${bar}.${beat}` : `${bar}.${beat}.${String(hundredths).padStart(2, "0")}`;
  }

  /** Bar lines (and beats, if asked) in [from, to), none closer than `step` bars. */
  *lines(from: number, to: number, beats: boolean, step = 1): Generator<GridLine> {
    for (const [index, stretch] of this.#stretches.entries()) {
      const end = Math.min(to, this.#stretches[index + 1]?.tick ?? Infinity);
      const unit = beats ? beatTicks(stretch) : barTicks(stretch) * step;
      const first = Math.max(0, Math.floor((from - stretch.tick) / unit));
      for (let tick = stretch.tick + first * unit; tick < end; tick += unit) {
        const { bar, beat } = this.position(tick);
        yield { tick, bar, beat };
      }
    }
  }

  /** The nearest grid tick; `grid` is in ticks, "bar" follows the signature. 0: no grid. */
  snap(tick: number, grid: number | "bar"): number {
    const whole = Math.round(tick);
    if (grid === 0) return whole;
    const stretch = this.#at(Math.max(0, tick));
    const unit = grid === "bar" ? barTicks(stretch) : grid;
    return stretch.tick + Math.round((tick - stretch.tick) / unit) * unit;
  }
}
