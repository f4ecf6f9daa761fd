/** The clips of one track, and where the edit cursor stands on it. */

import { memo } from "preact/compat";
import { useContext, useMemo } from "preact/hooks";
import * as edits from "../../client/edits.ts";
import { ofClip } from "../../client/rights.ts";
import type { ClipView, TrackView } from "../../client/view.ts";
import { addClip } from "../state/actions.ts";
import { allowed } from "../state/rights.ts";
import { putPlace, select, snapped } from "../state/select.ts";
import { useSlice } from "../state/store.ts";
import { useReading, useStudio, type Studio } from "../state/studio.ts";
import { Clip, type ClipHandlers } from "./clip.tsx";
import { GesturesContext } from "./context.ts";
import { previewed, pressClip, type Gesture } from "./gesture.ts";
import { quarters, tickAt } from "./geometry.ts";
import type { Span } from "./window.ts";

type Shown = readonly [clip: ClipView, ghost: boolean];

/** What this lane shows: its clips, minus those dragged away, plus those dragged in. */
function shown(track: string, own: readonly ClipView[], byId: ReadonlyMap<string, ClipView>, gesture: Gesture | null): readonly Shown[] {
  if (gesture === null) return own.map((clip) => [clip, false] as const);
  const stay = own.filter((clip) => gesture.mode === "copy" || !gesture.ids.includes(clip.id)).map((clip) => [clip, false] as const);
  const arrive = gesture.ids.flatMap((id) => byId.get(id) ?? []).map((clip) => previewed(clip, gesture)).filter((clip) => clip.track === track);
  return [...stay, ...arrive.map((clip) => [gesture.mode === "copy" ? { ...clip, id: `${clip.id}+` } : clip, true] as const)];
}

/** The gesture, if it takes a clip from this lane or brings one to it. */
function concerning(track: string, own: readonly ClipView[], gesture: Gesture | null): Gesture | null {
  if (gesture === null || gesture.track === track) return gesture;
  return own.some((clip) => gesture.ids.includes(clip.id)) ? gesture : null;
}

/** A clip narrower than this shows neither a name nor edges to pull: one zooms in for that. */
const SLIVER_PX = 20;
const NONE: readonly ClipView[] = [];

function useHandlers(studio: Studio): ClipHandlers {
  const gestures = useContext(GesturesContext);
  return useMemo(() => ({
    press: (clip, edge, event) => {
      const lane = (event.currentTarget as Element).closest("[data-lane]");
      if (lane !== null) pressClip(studio, gestures, clip, edge, event, tickAt(event, lane, studio.ui.value.beat));
    },
    focus: (clip) => {
      if (!studio.ui.value.selected.includes(clip.id)) select(studio, [clip.id]);
    },
    pick: (clip) => select(studio, studio.ui.value.selected.includes(clip.id) ? [] : [clip.id]),
    rename: (clip, name) => {
      if (name !== null && allowed(studio, ofClip(clip.track))) edits.renameClip(studio.session.pen, clip.id, name);
      studio.ui.set({ naming: null });
    },
    name: (clip) => studio.ui.set({ naming: clip.id }),
  }), [studio, gestures]);
}

interface LaneProps { readonly track: TrackView; readonly why: string | null; readonly span: Span; readonly scale: number }

function LaneRow({ track, why, span: [from, to], scale }: LaneProps) {
  const studio = useStudio();
  const { view, byTrack, byId, meter } = useReading();
  const own = byTrack.get(track.id) ?? NONE;
  const selected = useSlice(studio.ui, ({ selected: ids }) => ids);
  const naming = useSlice(studio.ui, (ui) => ui.naming);
  const place = useSlice(studio.ui, (ui) => (ui.place.track === track.id ? ui.place.tick : null));
  const gesture = useSlice(useContext(GesturesContext), ({ now }) => concerning(track.id, own, now));
  const handlers = useHandlers(studio);
  const tabStop = selected[0] ?? view.clips[0]?.id;
  const near = own.filter((clip) => (clip.end > from && clip.start < to) || clip.id === tabStop || clip.id === naming);
  const tickOf = (event: PointerEvent | MouseEvent): number => tickAt(event, event.currentTarget as Element, studio.ui.value.beat);
  const onPress = (event: PointerEvent): void => {
    if (event.button !== 0 || event.target !== event.currentTarget) return;
    select(studio, []);
    putPlace(studio, { tick: snapped(studio, tickOf(event)), track: track.id });
  };
  return (
    <div class="lane" role="group" aria-label={`${track.name} clips`} data-lane={track.id} data-testid="lane" onPointerDown={onPress}
      onDblClick={(event) => {
        if (event.target === event.currentTarget) addClip(studio, barAt(tickOf(event)), track.id);
      }}>
      {place !== null && <div class="place" style={{ "--at": quarters(place) }} data-testid="place" />}
      {shown(track.id, near, byId, gesture).map(([clip, ghost]) => (
        <Clip key={clip.id} clip={clip} ghost={ghost} color={clip.color ?? track.color} where={`${track.name}, ${meter.label(clip.start)} to ${meter.label(clip.end)}`}
          selected={selected.includes(clip.id)} tabbable={clip.id === tabStop} naming={naming === clip.id} why={why} sliver={quarters(clip.end - clip.start) * scale < SLIVER_PX} handlers={handlers} />
      ))}
    </div>
  );

  function barAt(tick: number): number {
    const { grid } = studio.ui.value;
    return Math.max(0, meter.snap(tick - meter.barTicksAt(tick) / 2, grid === 0 ? 240 : "bar"));
  }
}

/** Zooming and scrolling move what is drawn without drawing it again: positions follow the surface's own unit. */
export const Lane = memo(LaneRow, (a, b) => a.why === b.why && a.span === b.span && a.scale === b.scale && a.track.id === b.track.id && a.track.name === b.track.name && a.track.color === b.track.color);
