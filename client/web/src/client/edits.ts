/** Every edit a musician makes, each one transaction under one origin. */

export type { Pen } from "./edits/pen.ts";
export * from "./edits/tracks.ts";
export * from "./edits/clips.ts";
export * from "./edits/effects.ts";
export * from "./edits/marks.ts";
export * from "./edits/transport.ts";
