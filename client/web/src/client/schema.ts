/** What stands in a studio document: root names, the fields of each entity, their defaults and bounds. */

export const PPQ = 960;

export const ROOTS = [
  "meta", "transport", "tempo", "signatures", "tracks", "clips", "lanes", "points", "effects",
  "sends", "events", "markers", "notes", "assets", "arrangement", "slots",
] as const;
export type Root = (typeof ROOTS)[number];

/** Written by the server alone. A client's update that touches one is refused. */
export const SERVER_ROOTS: readonly Root[] = ["meta", "assets"];
/** What undo may touch. */
export const MUSICAL_ROOTS: readonly Root[] = ROOTS.filter((root) => !SERVER_ROOTS.includes(root));

export const MASTER = "master";
export const LOST = "lost";

export const LIMITS = { tracks: 64, clips: 5000, markers: 2000, notes: 5000, name: 80, label: 80, body: 4000 } as const;

export const BPM = { min: 20, max: 400, default: 120 } as const;
export const TRACK_GAIN = { min: -96, max: 6, default: 0 } as const;
export const CLIP_GAIN = { min: -60, max: 12, default: 0 } as const;
export const PAN = { min: -1, max: 1, default: 0 } as const;
export const DENOMINATORS = [1, 2, 4, 8, 16, 32] as const;
export const MARKER_KINDS = ["cue", "section", "loop", "drop"] as const;
export type MarkerKind = (typeof MARKER_KINDS)[number];

export type Signature = readonly [num: number, den: number];
export type Loop = readonly [on: number, start: number, end: number];
/** Who removed it and when, in milliseconds since the Unix epoch. */
export type Deleted = readonly [user: string, ms: number];
/** A place on the timeline, or one inside a clip that follows it. */
export type Anchor = readonly ["t", number] | readonly ["t", number, number | null] | readonly ["c", string, number];

/** One JSON value as the document's leaves hold it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Entity = { readonly [key: string]: Json };
/** The whole document as plain JSON, every root present. */
export type Canonical = { readonly [root in Root]: { readonly [id: string]: Json } };

export const PALETTE = [
  "#e2574c", "#e8894a", "#d9b13b", "#7fb54a", "#43a88a", "#4a8fd9", "#7a6fd6", "#c465b5",
] as const;
export const MARKER_COLOR = "#d9b13b";

/** The colour of an entity that has none: FNV-1a of the id's UTF-8 bytes picks from the palette, as the server does. */
export function paletteColor(id: string): string {
  let digest = 2166136261;
  for (const byte of new TextEncoder().encode(id)) digest = Math.imul(digest ^ byte, 16777619) >>> 0;
  return PALETTE[digest % PALETTE.length] as string;
}

export function clamp(value: number, bounds: { readonly min: number; readonly max: number }): number {
  return Math.min(bounds.max, Math.max(bounds.min, value));
}
