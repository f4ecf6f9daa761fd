/** The clips of one track, and where the edit cursor stands on it. */

import { useContext, useMemo } from "preact/hooks";
import * as edits from "../../client/edits.ts";
import type { ClipView, TrackView } from "../../client/view.ts";
import { addClip } from "../state/actions.ts";
import { putPlace, select, snapped } from "../state/select.ts";
import { useStore } from "../state/store.ts";
import { useReading, useStudio, useUi, type Studio } from "../state/studio.ts";
import { Clip, type ClipHandlers } from "./clip.tsx";
import { GesturesContext } from "./context.ts";
import { previewed, pressClip, type Gesture } from "./gesture.ts";
import { quarters, tickAt } from "./geometry.ts";

/** What this lane shows: its clips, minus those dragged away, plus those dragged in. */
function shown(track: string, clips: readonly ClipView[], gesture: Gesture | null): readonly (readonly [ClipView, boolean])[] {
  if (gesture === null) return clips.filter((clip) => clip.track === track).map((clip) => [clip, false] as const);
  return clips.flatMap((clip) => {
    if (!gesture.ids.includes(clip.id)) return clip.track === track ? [[clip, false] as const] : [];
    const moved = previewed(clip, gesture);
    const stays = gesture.mode === "copy" && clip.track === track ? [[clip, false] as const] : [];
    return moved.track === track ? [...stays, [gesture.mode === "copy" ? { ...moved, id: `${clip.id}+` } : moved, true] as const] : stays;
  });
}

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
    rename: (clip, name) => {
      if (name !== null) edits.renameClip(studio.session.pen, clip.id, name);
      studio.ui.set({ naming: null });
    },
    name: (clip) => studio.ui.set({ naming: clip.id }),
  }), [studio, gestures]);
}

export function Lane({ track }: { readonly track: TrackView }) {
  const studio = useStudio();
  const { view, meter } = useReading();
  const ui = useUi();
  const { now } = useStore(useContext(GesturesContext));
  const handlers = useHandlers(studio);
  const tabStop = ui.selected[0] ?? view.clips[0]?.id;
  const onPress = (event: PointerEvent): void => {
    if (event.button !== 0 || event.target !== event.currentTarget) return;
    select(studio, []);
    putPlace(studio, { tick: snapped(studio, tickAt(event, event.currentTarget as Element, ui.beat)), track: track.id });
  };
  return (
    <div class="lane" role="group" aria-label={`${track.name} clips`} data-lane={track.id} data-testid="lane" onPointerDown={onPress}
      onDblClick={(event) => {
        if (event.target === event.currentTarget) addClip(studio, barAt(tickAt(event, event.currentTarget, ui.beat)), track.id);
      }}>
      {ui.place.track === track.id && <div class="place" style={{ "--at": quarters(ui.place.tick) }} data-testid="place" />}
      {shown(track.id, view.clips, now).map(([clip, ghost]) => (
        <Clip key={clip.id} clip={clip} ghost={ghost} color={clip.color ?? track.color} where={`${track.name}, ${meter.label(clip.start)} to ${meter.label(clip.end)}`}
          selected={ui.selected.includes(clip.id)} tabbable={clip.id === tabStop} naming={ui.naming === clip.id} editable={studio.session.canEdit} handlers={handlers} />
      ))}
    </div>
  );

  function barAt(tick: number): number {
    const { grid } = ui;
    return Math.max(0, meter.snap(tick - meter.barTicksAt(tick) / 2, grid === 0 ? 240 : "bar"));
  }
}
