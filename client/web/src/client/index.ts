/** `@backline/client`: the studio's document, its edits and its connection, without a page. */

export * from "./api.ts";
export * as edits from "./edits.ts";
export { mergedWords, type Merged } from "./merged.ts";
export { canonical, Mirror } from "./mirror.ts";
export { Meter } from "./meter.ts";
export { between } from "./order.ts";
export { Presence, type Peer } from "./presence.ts";
export { allows, barrier, locksOf, type Barrier, type Lock, type Touch } from "./rights.ts";
export { Saved, type Light } from "./saved.ts";
export * from "./schema.ts";
export { Session, type SessionOptions } from "./session.ts";
export { TempoMap } from "./tempo.ts";
export { Undo } from "./undo.ts";
export { newId } from "./ids.ts";
export { view, type View } from "./view.ts";
