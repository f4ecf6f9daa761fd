/** Musical time to seconds and back, through holds and ramps. The same formulas as the server's. */

import { PPQ, type Canonical } from "./schema.ts";
import { TEMPO_ROW, rows, transport } from "./valid.ts";

/** From `tick` on `bpm`: held (curve 0) or linear in beats to the next point (curve 1). */
export type TempoPoint = readonly [tick: number, bpm: number, curve: number];
interface Segment { readonly tick: number; readonly second: number; readonly bpm: number; readonly rise: number; readonly quarters: number }

const ramps = (segment: Segment): boolean => Number.isFinite(segment.quarters) && Math.abs(segment.rise) >= 1e-9;

function secondsIn(segment: Segment, tick: number): number {
  const quarters = (tick - segment.tick) / PPQ;
  if (!ramps(segment)) return segment.second + (60 / segment.bpm) * quarters;
  const now = segment.bpm + (segment.rise * quarters) / segment.quarters;
  return segment.second + ((60 * segment.quarters) / segment.rise) * Math.log(now / segment.bpm);
}

function tickIn(segment: Segment, second: number): number {
  const passed = second - segment.second;
  if (!ramps(segment)) return segment.tick + ((passed * segment.bpm) / 60) * PPQ;
  const now = segment.bpm * Math.exp((passed * segment.rise) / (60 * segment.quarters));
  return segment.tick + (((now - segment.bpm) * segment.quarters) / segment.rise) * PPQ;
}

export class TempoMap {
  readonly #segments: readonly Segment[];

  /** Points sorted, without equal ticks, the first at tick 0. */
  constructor(points: readonly TempoPoint[]) {
    let second = 0;
    this.#segments = points.map(([tick, bpm, curve], at) => {
      const next = points[at + 1];
      const quarters = next === undefined ? Infinity : (next[0] - tick) / PPQ;
      const segment = { tick, second, bpm, rise: curve === 1 && next !== undefined ? next[1] - bpm : 0, quarters };
      if (next !== undefined) second = secondsIn(segment, next[0]);
      return segment;
    });
  }

  /** The base tempo stands at 0 unless a point does. */
  static of(document: Canonical): TempoMap {
    const points = rows(document, "tempo", TEMPO_ROW);
    const base: TempoPoint[] = (points[0]?.[0] ?? 1) > 0 ? [[0, transport(document, "bpm"), 0]] : [];
    return new TempoMap([...base, ...points]);
  }

  #last(before: (segment: Segment) => boolean): Segment {
    return this.#segments.findLast(before) ?? (this.#segments[0] as Segment);
  }

  bpmAt(tick: number): number {
    const segment = this.#last((candidate) => candidate.tick <= tick);
    return ramps(segment) ? segment.bpm + (segment.rise * (tick - segment.tick)) / PPQ / segment.quarters : segment.bpm;
  }

  /** The second at which a tick sounds. */
  seconds(tick: number): number {
    return secondsIn(this.#last((segment) => segment.tick <= tick), tick);
  }

  /** The tick that sounds at a second; not rounded. */
  tick(seconds: number): number {
    return tickIn(this.#last((segment) => segment.second <= seconds), seconds);
  }
}
