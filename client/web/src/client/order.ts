/** Fractional order keys: strings over base 62 that sort as text and always leave room between two of them. */

import { BASE62, type RandomBelow } from "./ids.ts";

const digit = (key: string, at: number): number => BASE62.indexOf(key.charAt(at));

/** Two people inserting at one place must not get one key: the last digits are jittered. */
function tail(jitter: RandomBelow): string {
  return `${BASE62[jitter(62)]}${BASE62[1 + jitter(61)]}`;
}

/** A digit of the middle half: halving the gap keeps keys short where many inserts meet. */
function middle(low: number, high: number, jitter: RandomBelow): number {
  const quarter = Math.floor((high - low - 1) / 4);
  return low + 1 + quarter + jitter(high - low - 1 - 2 * quarter);
}

/**
 * A key strictly between `after` and `before` (null: no neighbour on that side).
 * Neighbours must be in order; a key never ends in "0", or nothing could stand below it.
 */
export function between(after: string | null, before: string | null, jitter: RandomBelow): string {
  if (after !== null && before !== null && after >= before) throw new RangeError("order keys are not in order");
  let prefix = "";
  let ceiling = before;
  for (let at = 0; ; at += 1) {
    const low = after !== null && at < after.length ? digit(after, at) : 0;
    const high = ceiling === null ? 62 : at < ceiling.length ? digit(ceiling, at) : 0;
    if (high - low > 1) return prefix + BASE62[middle(low, high, jitter)] + tail(jitter);
    if (high > low) ceiling = null;
    prefix += BASE62[low];
  }
}
