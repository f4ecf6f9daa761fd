/** Fractional order keys: strings over base 62 that sort as text and always leave room between two of them. */

import { BASE62, type RandomBelow } from "./ids.ts";

const digit = (key: string, at: number): number => (at < key.length ? BASE62.indexOf(key.charAt(at)) : 0);

/** 1 … room, somewhere in the middle third: both sides keep room, and two people rarely choose the same. */
function step(room: number, jitter: RandomBelow): number {
  const third = Math.floor(room / 3);
  return 1 + third + jitter(Math.max(1, room - 2 * third));
}

/**
 * A key strictly between `after` and `before` (null: no neighbour on that side).
 * Neighbours must be in order; a key never ends in "0", or nothing could stand below it.
 */
export function between(after: string | null, before: string | null, jitter: RandomBelow): string {
  const low = after ?? "";
  let high = before;
  if (high !== null && low >= high) throw new RangeError("there is no room between these keys");
  for (let prefix = ""; ; ) {
    const at = prefix.length;
    const bottom = digit(low, at);
    const top = high === null ? BASE62.length : digit(high, at);
    if (top - bottom > 1) return prefix + BASE62[bottom + step(top - bottom - 1, jitter)];
    if (high !== null && at >= high.length) throw new RangeError('there is no room before a key that ends in "0"');
    prefix += BASE62[bottom];
    if (top > bottom) high = null;
  }
}
