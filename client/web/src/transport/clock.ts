/** The server's clock, as well as round trips can tell it. The same rules as the server's `studio/clock.py`; all times in milliseconds. */

export const BURST = 16;
export const BURST_INTERVAL_MS = 50;
export const INTERVAL_MS = 5_000;
const WINDOW = 32;
/** After a break nothing is believed before so many samples. */
const TRUSTED = 4;
/** Samples whose error may be so much larger than the best one's are as good: their median is taken. */
const NEAR_MS = 1;
/** How fast a sample loses its worth: twice the drift of ordinary clocks. */
const DRIFT = 1e-4;
const SLEW = 5e-4;
const STEP_MS = 50;
const STALE_MS = 20_000;

export interface Sample { readonly offset: number; readonly rtt: number; readonly at: number }
/** `bound`: how far `offset` may be off when the way there and the way back differ, at most. */
export interface Report { readonly offset: number; readonly bound: number; readonly age: number; readonly stale: boolean }

/** Sent at `c` (local), read at `r` and answered at `s` (the server's), back at `d` (local). */
export const sample = (c: number, r: number, s: number, d: number): Sample => ({ offset: (r - c + (s - d)) / 2, rtt: d - c - (s - r), at: d });

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] as number) : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
}

export class Clock {
  #samples: Sample[] = [];
  #heard = 0;
  #applied = 0;
  #appliedAt = 0;
  #target = 0;

  get known(): boolean {
    return this.#heard > 0;
  }

  /** After a sleep or another server: old samples say nothing any more. The reading goes on meanwhile. */
  restart(): void {
    this.#samples = [];
  }

  /** Returns by how much the reading has jumped: 0 as a rule, then it is slewed and never goes backwards. */
  hear(told: Sample): number {
    this.#samples = [...this.#samples, told].slice(-WINDOW);
    const first = this.#heard < BURST;
    this.#heard += 1;
    if (!first && this.#samples.length < TRUSTED) return 0;
    const before = this.#offset(told.at);
    const estimate = this.#estimate(told.at);
    const jumps = first || Math.abs(estimate - before) > STEP_MS;
    this.#applied = jumps ? estimate : before;
    this.#appliedAt = told.at;
    this.#target = estimate;
    return jumps ? estimate - before : 0;
  }

  /** The server's time at a local time (performance.now()). */
  now(local: number): number {
    return local + this.#offset(local);
  }

  /** The local time at which it is `server` there, for moments not far from `local`, which is now. */
  local(server: number, local: number): number {
    return server - this.#offset(local);
  }

  report(local: number): Report {
    const best = Math.min(...this.#samples.map((held) => held.rtt));
    const age = local - (this.#samples.at(-1)?.at ?? -Infinity);
    return { offset: this.#offset(local), bound: best / 2, age, stale: age > STALE_MS };
  }

  #offset(local: number): number {
    const reach = Math.max(0, local - this.#appliedAt) * SLEW;
    return this.#applied + Math.max(-reach, Math.min(reach, this.#target - this.#applied));
  }

  #estimate(now: number): number {
    const errors = this.#samples.map((held) => held.rtt / 2 + (now - held.at) * DRIFT);
    const limit = Math.min(...errors) + NEAR_MS;
    return median(this.#samples.filter((_held, at) => (errors[at] as number) <= limit).map((held) => held.offset));
  }
}
