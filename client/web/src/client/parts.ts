/** Clips as they sound: where each part of a split lineage really begins and ends. */

import { LOST, type Canonical } from "./schema.ts";
import type { TempoMap } from "./tempo.ts";
import { CLIP, compare, entities, living, type Known } from "./valid.ts";

/** What an unreadable length reads as: ticks, or microseconds. */
const BEATS_MIN = 240;
const TIME_MIN_US = 250_000;

type Clip = Known<typeof CLIP>;

/** `in`/`out` in content units, `start`/`end` in ticks (not always whole). */
export interface ClipView {
  readonly id: string; readonly track: string; readonly asset: string; readonly take: string; readonly base: "beats" | "time";
  readonly pos: number; readonly in: number; readonly out: number; readonly start: number; readonly end: number;
  readonly fade_in: number; readonly fade_out: number; readonly gain_db: number; readonly mute: boolean; readonly name: string; readonly color: string | null;
}

/** Living clips by (start, id), those of hidden tracks too; parts that a sibling covers wholly are left out. */
export function clips(document: Canonical, tempo: TempoMap): ClipView[] {
  const tracks = new Set(entities(document, "tracks").map(([id]) => id));
  const found = new Map(living(document, "clips", CLIP).map(([id, clip]) => [id, sound(clip, tracks)]));
  const until = ends(found);
  return [...found]
    .map(([id, clip]) => [id, clip, until.get(id) as number] as const)
    .filter(([, clip, out]) => out > clip.in)
    .map(([id, clip, out]) => clipView(id, clip, out, tempo))
    .sort((a, b) => compare(a.start, b.start) || compare(a.id, b.id));
}

/** R7, R9 and R10 as a reader applies them. */
function sound(clip: Clip, tracks: ReadonlySet<string>): Clip {
  const beats = clip.base === "beats";
  const out = clip.out > clip.in ? clip.out : clip.in + (beats ? BEATS_MIN : TIME_MIN_US);
  const pos = beats && clip.pos + clip.in < 0 ? -clip.in : clip.pos;
  return { ...clip, out, pos, track: tracks.has(clip.track) ? clip.track : LOST };
}

/** Each part of a lineage at one place ends where the next one begins, at the latest. */
function ends(found: ReadonlyMap<string, Clip>): ReadonlyMap<string, number> {
  const kin = ([, clip]: readonly [string, Clip]): string => JSON.stringify([clip.track, clip.asset, clip.take, clip.pos]);
  const until = new Map([...found].map(([id, clip]) => [id, clip.out]));
  for (const family of Map.groupBy(found, kin).values()) {
    family.sort(([a, x], [b, y]) => compare(x.in, y.in) || compare(a, b));
    family.forEach(([id, clip], at) => until.set(id, Math.min(clip.out, family[at + 1]?.[1].in ?? Infinity)));
  }
  return until;
}

function clipView(id: string, clip: Clip, out: number, tempo: TempoMap): ClipView {
  const { deleted: _deleted, ...fields } = clip;
  return { ...fields, id, out, start: tickOf(clip, clip.in, tempo), end: tickOf(clip, out, tempo), ...fades(clip, out - clip.in) };
}

/** Stored fades are kept; read, they share the length in proportion. */
function fades({ fade_in, fade_out }: Clip, length: number): Pick<ClipView, "fade_in" | "fade_out"> {
  if (fade_in + fade_out <= length) return { fade_in, fade_out };
  const scale = length / (fade_in + fade_out);
  return { fade_in: fade_in * scale, fade_out: fade_out * scale };
}

/** The timeline tick of a content position. */
export function tickOf(clip: Pick<ClipView, "base" | "pos">, content: number, tempo: TempoMap): number {
  if (clip.base === "beats") return clip.pos + content;
  return Math.max(0, tempo.tick(tempo.seconds(clip.pos) + content / 1e6));
}
