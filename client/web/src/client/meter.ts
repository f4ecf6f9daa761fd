/** Bars and beats: where bar lines stand, how a tick is written, what the grid snaps to. */

import { PPQ, type Canonical, type Signature } from "./schema.ts";
import { SIGNATURE_ROW, rows, transport } from "./valid.ts";

type Change = readonly [tick: number, num: number, den: number];

interface Stretch { readonly tick: number; readonly bar: number; readonly num: number; readonly den: number }
export interface Position { readonly bar: number; readonly beat: number; readonly ticks: number }
export interface GridLine { readonly tick: number; readonly bar: number; readonly beat: number }

const beatTicks = (stretch: Stretch): number => (PPQ * 4) / stretch.den;
const barTicks = (stretch: Stretch): number => beatTicks(stretch) * stretch.num;

export class Meter {
  readonly #stretches: readonly Stretch[];

  /** Changes sorted, without equal ticks, the first at tick 0. One off the bar line ends the bar before it early. */
  constructor(changes: readonly Change[]) {
    const stretches: Stretch[] = [];
    for (const [tick, num, den] of changes) {
      const last = stretches.at(-1);
      const bar = last === undefined ? 1 : last.bar + Math.ceil((tick - last.tick) / barTicks(last));
      stretches.push({ tick, bar, num, den });
    }
    this.#stretches = stretches;
  }

  static of(document: Canonical): Meter {
    const changes = rows(document, "signatures", SIGNATURE_ROW);
    const base: Change[] = (changes[0]?.[0] ?? 1) > 0 ? [[0, ...transport(document, "signature")]] : [];
    return new Meter([...base, ...changes]);
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
