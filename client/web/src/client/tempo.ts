/** Musical time to seconds and back, through holds and ramps. The same formulas as the server's. */

import { BPM, PPQ, type Canonical, type Json } from "./schema.ts";

export type Curve = 0 | 1;
interface Segment { readonly tick: number; readonly bpm: number; readonly slope: number; readonly seconds: number }
interface Point { readonly tick: number; readonly bpm: number; readonly curve: Curve }

const isPoint = (leaf: Json): leaf is readonly [number, number, number] =>
  Array.isArray(leaf) && leaf.length >= 2 && leaf.every((part) => typeof part === "number");

/** Sorted by (tick, id); of several at one tick the last wins; the base tempo stands at 0 unless a point does. */
function points(bpm: number, tempo: { readonly [id: string]: Json }): Point[] {
  const sorted = Object.entries(tempo)
    .flatMap(([id, leaf]) => (isPoint(leaf) ? [{ id, leaf }] : []))
    .sort((a, b) => a.leaf[0] - b.leaf[0] || (a.id < b.id ? -1 : 1));
  const byTick = new Map<number, Point>([[0, { tick: 0, bpm, curve: 0 }]]);
  for (const { leaf } of sorted) byTick.set(leaf[0], { tick: leaf[0], bpm: leaf[1], curve: leaf[2] === 1 ? 1 : 0 });
  return [...byTick.values()].sort((a, b) => a.tick - b.tick);
}

/** Beats per minute gained per quarter note; 0 where the tempo holds. */
function slope(point: Point, next: Point | undefined): number {
  const rise = next === undefined ? 0 : next.bpm - point.bpm;
  if (point.curve === 0 || next === undefined || Math.abs(rise) < 1e-9) return 0;
  return rise / ((next.tick - point.tick) / PPQ);
}

function elapsed(segment: { readonly bpm: number; readonly slope: number }, quarters: number): number {
  if (segment.slope === 0) return (60 / segment.bpm) * quarters;
  return (60 / segment.slope) * Math.log((segment.bpm + segment.slope * quarters) / segment.bpm);
}

export class TempoMap {
  readonly #segments: readonly Segment[];

  constructor(bpm: number, tempo: { readonly [id: string]: Json } = {}) {
    const at = points(bpm, tempo);
    let seconds = 0;
    this.#segments = at.map((point, index) => {
      const segment = { tick: point.tick, bpm: point.bpm, slope: slope(point, at[index + 1]), seconds };
      const next = at[index + 1];
      if (next !== undefined) seconds += elapsed(segment, (next.tick - point.tick) / PPQ);
      return segment;
    });
  }

  static of(document: Canonical): TempoMap {
    const bpm = document.transport["bpm"];
    return new TempoMap(typeof bpm === "number" ? bpm : BPM.default, document.tempo);
  }

  #last(before: (segment: Segment) => boolean): Segment {
    return this.#segments.findLast(before) ?? (this.#segments[0] as Segment);
  }

  bpmAt(tick: number): number {
    const segment = this.#last((candidate) => candidate.tick <= tick);
    return segment.bpm + (segment.slope * (tick - segment.tick)) / PPQ;
  }

  seconds(tick: number): number {
    const segment = this.#last((candidate) => candidate.tick <= tick);
    return segment.seconds + elapsed(segment, (tick - segment.tick) / PPQ);
  }

  tick(seconds: number): number {
    const segment = this.#last((candidate) => candidate.seconds <= seconds);
    const since = seconds - segment.seconds;
    const quarters =
      segment.slope === 0
        ? (since * segment.bpm) / 60
        : (segment.bpm * (Math.exp((since * segment.slope) / 60) - 1)) / segment.slope;
    return segment.tick + quarters * PPQ;
  }
}
