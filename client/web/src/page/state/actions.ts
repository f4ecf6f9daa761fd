/** What buttons, menus and keys do. Each checks that this person may do it. */

import * as edits from "../../client/edits.ts";
import { LIMITS, LOST, type Anchor, type Loop } from "../../client/schema.ts";
import { transport } from "../../client/valid.ts";
import { mayComment } from "../../client/api.ts";
import { ofClip, ofMarker, ofSong, ofTrack, type Touch } from "../../client/rights.ts";
import type { ClipView } from "../../client/view.ts";
import { allowed } from "./rights.ts";
import { gridStep, placeTrack, putPlace, select, selectedClips } from "./select.ts";
import { reading, type Studio } from "./studio.ts";
import { ZOOM } from "./ui.ts";

const STARTER = ["Vocals", "Drums", "Bass", "Melody"] as const;

export const NEW_TRACK: Touch = ofTrack("", "");

const ofClips = (clips: readonly ClipView[], to?: string): readonly Touch[] => clips.map((clip) => ofClip(clip.track, to ?? clip.track));

export function notice(studio: Studio, text: string): void {
  studio.ui.set({ notice: text });
}

export function addTrack(studio: Studio): void {
  if (!allowed(studio, NEW_TRACK)) return;
  const { tracks } = reading(studio.session).view;
  if (tracks.length >= LIMITS.tracks) return notice(studio, `A project holds ${LIMITS.tracks} tracks.`);
  const after = studio.ui.value.place.track;
  const id = edits.addTrack(studio.session.pen, `Track ${tracks.length + 1}`, tracks.some((track) => track.id === after) ? after : undefined);
  studio.ui.set({ naming: id, place: { ...studio.ui.value.place, track: id } });
}

export function addStarterTracks(studio: Studio): void {
  if (!allowed(studio, NEW_TRACK)) return;
  for (const name of STARTER) edits.addTrack(studio.session.pen, name);
}

export function moveTrackBy(studio: Studio, id: string, by: 1 | -1): void {
  const ids = reading(studio.session).view.tracks.map((track) => track.id);
  const at = ids.indexOf(id);
  const after = by === 1 ? ids[at + 1] : (ids[at - 2] ?? null);
  if (at < 0 || after === undefined || (by === -1 && at === 0) || !allowed(studio, ofTrack(id, "order"))) return;
  edits.moveTrack(studio.session.pen, id, after);
}

/** A bar-long clip at the edit cursor or where it is told to. */
export function addClip(studio: Studio, at: number = studio.ui.value.place.tick, track: string | null = placeTrack(studio)): void {
  if (track === null) return addTrack(studio);
  if (!allowed(studio, ofClip(null, track))) return;
  const { view, meter } = reading(studio.session);
  const name = view.tracks.find((shown) => shown.id === track)?.name ?? "Clip";
  const length = meter.barTicksAt(at);
  const id = edits.addClip(studio.session.pen, { track, start: at, length, name });
  select(studio, [id]);
  putPlace(studio, { tick: at + length, track });
}

/** Solo is personal: it changes what one hears, never what others do. */
export function toggleSolo(studio: Studio, id: string): void {
  const { solo } = studio.ui.value;
  const next = solo.includes(id) ? solo.filter((other) => other !== id) : [...solo, id];
  studio.ui.set({ solo: next });
  studio.session.presence.set({ solo: next });
}

export function splitSelected(studio: Studio): void {
  const { pen } = studio.session;
  const { tempo, meter } = reading(studio.session);
  const at = studio.ui.value.place.tick;
  const clips = selectedClips(studio);
  if (!allowed(studio, ...ofClips(clips))) return;
  const made = clips.flatMap((clip) => {
    const middle = meter.snap((clip.start + clip.end) / 2, studio.ui.value.grid === 0 ? 0 : 240);
    const right = edits.splitClip(pen, clip.id, at > clip.start && at < clip.end ? at : middle, tempo);
    return right === null ? [] : [right];
  });
  if (made.length > 0) select(studio, made);
}

export function duplicateSelected(studio: Studio): void {
  const clips = selectedClips(studio);
  if (clips.length === 0 || !allowed(studio, ...ofClips(clips))) return;
  const from = Math.min(...clips.map((clip) => clip.start));
  const to = Math.max(...clips.map((clip) => clip.end));
  select(studio, edits.copyClips(studio.session.pen, clips.map((clip) => clip.id), Math.round(to - from)));
}

export function deleteSelected(studio: Studio): void {
  const clips = selectedClips(studio);
  if (clips.length === 0 || !allowed(studio, ...ofClips(clips))) return;
  edits.deleteClips(studio.session.pen, clips.map((clip) => clip.id));
  select(studio, []);
}

/** Moves the selected clips by grid steps; with nothing selected, the edit cursor. */
export function nudge(studio: Studio, steps: 1 | -1): void {
  const clips = selectedClips(studio);
  const by = steps * gridStep(studio);
  const { place } = studio.ui.value;
  if (clips.length === 0) return putPlace(studio, { tick: place.tick + by, track: placeTrack(studio) });
  const room = -Math.min(...clips.map((clip) => clip.start));
  if (allowed(studio, ...ofClips(clips))) edits.moveClips(studio.session.pen, clips.map((clip) => clip.id), Math.max(room, by));
}

export function nudgeTrack(studio: Studio, by: 1 | -1): void {
  const ids = reading(studio.session).view.tracks.map((track) => track.id);
  const clips = selectedClips(studio);
  const from = clips.length > 0 ? (clips[0]?.track ?? null) : placeTrack(studio);
  const to = ids[ids.indexOf(from ?? "") + by];
  if (to === undefined || to === LOST) return;
  if (clips.length > 0 && !allowed(studio, ...ofClips(clips, to))) return;
  putPlace(studio, { ...studio.ui.value.place, track: to });
  if (clips.length === 0) return;
  edits.moveClips(studio.session.pen, clips.map((clip) => clip.id), 0, to);
  focusClip(clips[0]?.id ?? "");
}

/** After the next rendering: a clip that changed lanes is another element. */
function focusClip(id: string): void {
  requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-clip="${CSS.escape(id)}"]`)?.focus()));
}

export function trimSelected(studio: Studio, side: "left" | "right", steps: 1 | -1): void {
  const { pen } = studio.session;
  const { tempo } = reading(studio.session);
  const by = steps * gridStep(studio);
  const clips = selectedClips(studio);
  if (!allowed(studio, ...ofClips(clips))) return;
  for (const clip of clips) {
    if (side === "left") edits.trimLeft(pen, clip.id, clip.start + by, tempo);
    else edits.trimRight(pen, clip.id, clip.end + by, tempo);
  }
}

/** The next or previous clip in time, on any track. */
export function stepSelection(studio: Studio, by: 1 | -1): void {
  const { clips } = reading(studio.session).view;
  const current = clips.findIndex((clip) => clip.id === studio.ui.value.selected[0]);
  const next = clips[current < 0 ? (by === 1 ? 0 : clips.length - 1) : current + by];
  if (next === undefined) return;
  select(studio, [next.id]);
  focusClip(next.id);
}

export function addMarker(studio: Studio): void {
  if (!allowed(studio, ofMarker)) return;
  const { tick } = studio.ui.value.place;
  const id = edits.addMarker(studio.session.pen, { tick, label: "Marker" });
  studio.ui.set({ naming: id });
}

/** Where a note written now would hang: on the selected clip, else at the edit cursor. */
export function noteAnchor(studio: Studio): { readonly anchor: Anchor; readonly track: string | null } {
  const clip = selectedClips(studio)[0];
  const { place } = studio.ui.value;
  if (clip === undefined) return { anchor: ["t", Math.round(place.tick), null], track: place.track };
  const inside = place.tick >= clip.start && place.tick < clip.end;
  return { anchor: ["c", clip.id, inside && clip.base === "beats" ? Math.round(place.tick - clip.pos) : clip.in], track: clip.track };
}

export function startNote(studio: Studio): void {
  if (mayComment(studio.session.role)) studio.ui.set({ panel: "notes", thread: "new" });
}

export function toggleLoop(studio: Studio): void {
  const loop = loopOf(studio);
  if (allowed(studio, ofSong("loop"))) edits.setLoop(studio.session.pen, [loop[0] === 1 ? 0 : 1, loop[1], loop[2]]);
}

export const loopOf = (studio: Studio): Loop => transport(reading(studio.session).document, "loop");

/** Begins to type the name of the selected clip, or of the edit cursor's track. */
export function startNaming(studio: Studio): void {
  const clip = selectedClips(studio)[0];
  const naming = clip?.id ?? studio.ui.value.place.track;
  if (naming !== null && allowed(studio, clip === undefined ? ofTrack(naming, "name") : ofClip(clip.track))) studio.ui.set({ naming });
}

/** Around the selected clips, or the bar of the edit cursor. */
export function loopSelection(studio: Studio): void {
  const clips = selectedClips(studio);
  const { meter } = reading(studio.session);
  const { tick } = studio.ui.value.place;
  if (!allowed(studio, ofSong("loop"))) return;
  const from = clips.length > 0 ? Math.min(...clips.map((clip) => clip.start)) : meter.snap(tick, "bar");
  const to = clips.length > 0 ? Math.max(...clips.map((clip) => clip.end)) : from + meter.barTicksAt(from);
  edits.setLoop(studio.session.pen, [1, from, to]);
}

export function zoom(studio: Studio, factor: number): void {
  studio.ui.set({ beat: Math.min(ZOOM.max, Math.max(ZOOM.min, studio.ui.value.beat * factor)) });
}
