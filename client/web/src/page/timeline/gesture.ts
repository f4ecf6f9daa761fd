/** Dragging clips: a preview on this screen and for everybody else, one write on release. */

import * as edits from "../../client/edits.ts";
import { PPQ } from "../../client/schema.ts";
import { ofClip } from "../../client/rights.ts";
import type { ClipView } from "../../client/view.ts";
import { allowed, whyNot } from "../state/rights.ts";
import { putPlace, select, selectedClips, snapped, toggleSelected } from "../state/select.ts";
import { Store } from "../state/store.ts";
import { reading, type Studio } from "../state/studio.ts";
import { followPointer } from "./drag.ts";
import { trackAt } from "./geometry.ts";

export type Mode = "move" | "copy" | "left" | "right";
export interface Gesture { readonly mode: Mode; readonly ids: readonly string[]; readonly by: number; readonly track: string | null }
export interface Gestures { readonly now: Gesture | null }

export const newGestures = (): Store<Gestures> => new Store<Gestures>({ now: null });

/** Where a clip would stand if the gesture ended now. */
export function previewed(clip: ClipView, gesture: Gesture): ClipView {
  const { by, mode } = gesture;
  if (mode === "left") return { ...clip, start: Math.max(0, Math.min(clip.start + by, clip.end - 60)) };
  if (mode === "right") return { ...clip, end: Math.max(clip.end + by, clip.start + 60) };
  return { ...clip, start: clip.start + by, end: clip.end + by, track: gesture.track ?? clip.track };
}

/** How far the pressed edge may go, on the grid; nothing moves before the beginning. */
function distance(studio: Studio, clip: ClipView, clips: readonly ClipView[], mode: Mode, ticks: number, free: boolean): number {
  const edge = mode === "right" ? clip.end : clip.start;
  const by = free ? Math.round(ticks) : snapped(studio, edge + ticks) - edge;
  return mode === "right" ? by : Math.max(by, -Math.min(...clips.map((other) => other.start)));
}

/** The keys as they would be written: everybody reads them through the same view. */
function tell(studio: Studio, clip: ClipView, gesture: Gesture): void {
  const { tempo } = reading(studio.session);
  const shown = previewed(clip, gesture);
  const edges = { in: edits.contentAt(clip, shown.start, tempo), out: edits.contentAt(clip, shown.end, tempo) };
  const whole = { pos: Math.round(clip.pos + gesture.by), in: clip.in, out: clip.out };
  const keys = gesture.mode === "left" || gesture.mode === "right" ? { pos: clip.pos, ...edges } : whole;
  studio.session.presence.set({ drag: { id: clip.id, keys: { ...keys, track: shown.track } } });
}

function commit(studio: Studio, clips: readonly ClipView[], gesture: Gesture): void {
  const { pen } = studio.session;
  const { tempo } = reading(studio.session);
  const ids = clips.map((clip) => clip.id);
  const track = gesture.track ?? undefined;
  switch (gesture.mode) {
    case "move":
      return edits.moveClips(pen, ids, gesture.by, track);
    case "copy":
      return select(studio, edits.copyClips(pen, ids, gesture.by, track));
    case "left":
      return clips.forEach((clip) => edits.trimLeft(pen, clip.id, clip.start + gesture.by, tempo));
    case "right":
      return clips.forEach((clip) => edits.trimRight(pen, clip.id, clip.end + gesture.by, tempo));
  }
}

/** A press on a clip or one of its edges. */
export function pressClip(studio: Studio, gestures: Store<Gestures>, clip: ClipView, edge: "left" | "right" | null, event: PointerEvent, tick: number): void {
  if (event.button !== 0) return;
  event.stopPropagation();
  const many = event.shiftKey || event.ctrlKey || event.metaKey;
  const wasSelected = studio.ui.value.selected.includes(clip.id);
  if (many) toggleSelected(studio, clip.id);
  else if (!wasSelected) select(studio, [clip.id]);
  const clips = edge === null ? selectedClips(studio) : [clip];
  if (whyNot(studio, clips.map((one) => ofClip(one.track))) !== null) return;
  if (!clips.some((one) => one.id === clip.id)) return;
  follow(studio, gestures, clip, clips, edge, event, () => {
    putPlace(studio, { tick: snapped(studio, tick), track: clip.track });
    if (!many && wasSelected) select(studio, [clip.id]);
  });
}

function follow(studio: Studio, gestures: Store<Gestures>, clip: ClipView, clips: readonly ClipView[], edge: "left" | "right" | null, press: PointerEvent, click: () => void): void {
  const ids = clips.map((one) => one.id);
  const oneTrack = clips.every((one) => one.track === clip.track);
  const over = (): void => {
    gestures.set({ now: null });
    studio.session.presence.set({ drag: null });
  };
  followPointer(press, {
    move: (event, dx) => {
      const mode: Mode = edge ?? (event.altKey ? "copy" : "move");
      const by = distance(studio, clip, clips, mode, (dx / studio.ui.value.beat) * PPQ, event.metaKey || event.ctrlKey);
      const under = edge === null && oneTrack ? trackAt(event.clientX, event.clientY) : null;
      const track = under !== null && whyNot(studio, [ofClip(clip.track, under)]) === null ? under : null;
      const now: Gesture = { mode, ids, by, track };
      gestures.set({ now });
      tell(studio, clip, now);
    },
    end: (_event, moved) => {
      const { now } = gestures.value;
      over();
      if (!moved || now === null) return click();
      if (allowed(studio, ...clips.map((one) => ofClip(one.track, now.track ?? one.track)))) commit(studio, clips, now);
    },
    cancel: over,
  });
}
