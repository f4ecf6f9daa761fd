/** What a player does about being early or late against the transport it follows. Pure. */

const IGNORE_MS = 15;
const BEND_MS = 80;
/** 8.6 cents: 5 ms a second. */
const BEND = 0.005;
export const CROSSFADE_MS = 10;

export type Correction = { readonly kind: "none" } | { readonly kind: "bend"; readonly rate: number } | { readonly kind: "jump"; readonly crossfade_ms: number };

/** `late`: by how many ms the player is behind (negative: ahead). At a loop or bar line a small error is mended unheard. */
export function correction(late: number, atLine: boolean): Correction {
  const size = Math.abs(late);
  if (size <= IGNORE_MS) return { kind: "none" };
  if (size > BEND_MS || atLine) return { kind: "jump", crossfade_ms: CROSSFADE_MS };
  return { kind: "bend", rate: 1 + Math.sign(late) * BEND };
}

const JOIN_LEAD_MS = 300;

/** When somebody who comes late begins to sound: the first beat at least 300 ms ahead. */
export const joinsAt = (now: number, beats: readonly { readonly at: number }[]): number => beats.find(({ at }) => at >= now + JOIN_LEAD_MS)?.at ?? now + JOIN_LEAD_MS;
