/** What plays, from where and since when. The same formula as the server's `studio/transport.py`: shared vectors hold them equal. */

import { Meter } from "../client/meter.ts";
import type { Canonical } from "../client/schema.ts";
import { TempoMap, type TempoPoint } from "../client/tempo.ts";
import { SIGNATURE_ROW, TEMPO_ROW, rows, transport } from "../client/valid.ts";

export type Mode = "stopped" | "counting_in" | "playing";
export type Cause = "play" | "stop" | "seek" | "loop" | "tempo" | "rate" | "restart";

/** At `t0` (the server's ms) the position is, was or will be `pos0` (ticks). */
export interface Transport {
  readonly epoch: string;
  readonly seq: number;
  readonly mode: Mode;
  readonly t0: number;
  readonly pos0: number;
  readonly rate: number;
  readonly loop: readonly [on: number, start: number, end: number];
  readonly tempo_rev: string;
  readonly count_in_ms: number;
  readonly by: string | null;
  readonly cause: Cause;
}

type SignatureRow = readonly [tick: number, num: number, den: number];

/** Tempo and signatures together, as the server tells them. */
export interface Time { readonly rev: string; readonly tempo: TempoMap; readonly meter: Meter; readonly points: readonly TempoPoint[]; readonly signatures: readonly SignatureRow[] }

export function timeOf(points: readonly TempoPoint[], signatures: readonly SignatureRow[]): Time {
  return { rev: tempoRev(points, signatures), tempo: new TempoMap(points), meter: new Meter(signatures), points, signatures };
}

/** The document's own time: what a local transport plays by. */
export function documentTime(document: Canonical): Time {
  const points = rows(document, "tempo", TEMPO_ROW) as readonly TempoPoint[];
  const signatures = rows(document, "signatures", SIGNATURE_ROW) as readonly SignatureRow[];
  const base: TempoPoint[] = (points[0]?.[0] ?? 1) > 0 ? [[0, transport(document, "bpm"), 0]] : [];
  const first: SignatureRow[] = (signatures[0]?.[0] ?? 1) > 0 ? [[0, ...transport(document, "signature")]] : [];
  return timeOf([...base, ...points], [...first, ...signatures]);
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;

/** The name of a tempo map: FNV-1a (64 bit) over its numbers as big-endian doubles. */
export function tempoRev(points: readonly TempoPoint[], signatures: readonly SignatureRow[]): string {
  const numbers = [...points.flat(), Infinity, ...signatures.flat()];
  const bytes = new DataView(new ArrayBuffer(numbers.length * 8));
  numbers.forEach((number, at) => bytes.setFloat64(at * 8, number));
  let found = FNV_OFFSET;
  for (let at = 0; at < bytes.byteLength; at += 1) found = ((found ^ BigInt(bytes.getUint8(at))) * FNV_PRIME) & MASK;
  return found.toString(16).padStart(16, "0");
}

/** The tick at `now`. Before `t0` it is `pos0`: who had an earlier state goes on with that one until then. */
export function position(state: Transport, tempo: TempoMap, now: number): number {
  if (state.mode === "stopped" || now <= state.t0) return state.pos0;
  const [on, start, end] = state.loop;
  let second = tempo.seconds(state.pos0) + ((now - state.t0) / 1000) * state.rate;
  if (on === 1 && state.pos0 < end) {
    const last = tempo.seconds(end);
    const first = tempo.seconds(start);
    if (second >= last) second = first + ((second - first) % (last - first));
  }
  return tempo.tick(second);
}

/** A count-in that is over is playing. */
export const modeAt = (state: Transport, now: number): Mode => (state.mode === "counting_in" && now >= state.t0 ? "playing" : state.mode);

/** A state and the one before it, which holds until the newer one is due; a late joiner has none before. */
export interface Followed { readonly state: Transport; readonly time: Time; readonly before: { readonly state: Transport; readonly time: Time } | null }

/** What holds at `now`. */
export function holding(followed: Followed, now: number): { readonly state: Transport; readonly time: Time } {
  const { before, state } = followed;
  return before !== null && before.state.mode !== "stopped" && state.mode !== "stopped" && now < state.t0 ? before : followed;
}

export function positionOf(followed: Followed, now: number): number {
  const { state, time } = holding(followed, now);
  return position(state, time.tempo, now);
}
