/** The timeline: one scrolling surface with the ruler above and the track heads at the left. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { ofClip, ofTrack } from "../../client/rights.ts";
import { NEW_TRACK, addStarterTracks, addTrack, loopOf } from "../state/actions.ts";
import { useLocks, useWhyNot, whyNot } from "../state/rights.ts";
import { useSlice } from "../state/store.ts";
import { reading, useReading, useStudio } from "../state/studio.ts";
import { ZOOM } from "../state/ui.ts";
import { GesturesContext } from "./context.ts";
import { HEADER_PX, quarters, tickAt, timelineEnd } from "./geometry.ts";
import { newGestures } from "./gesture.ts";
import { GridLines } from "./grid.tsx";
import { TrackHeader } from "./header.tsx";
import { Lane } from "./lane.tsx";
import { Peers } from "./peers.tsx";
import { Pins } from "./pins.tsx";
import { Playhead } from "./playhead.tsx";
import { ReorderContext, reorderer } from "./reorder.ts";
import { Ruler } from "./ruler.tsx";
import { useVisible } from "./window.ts";

/** Pixels per quarter note from which clips show their beats. */
const FINE_SCALE = 16;

export function Timeline() {
  const studio = useStudio();
  const locks = useLocks();
  const { view } = useReading();
  const newTrack = whyNot(studio, [NEW_TRACK], locks);
  const beat = useSlice(studio.ui, (ui) => ui.beat);
  const solo = useSlice(studio.ui, (ui) => ui.solo);
  const scroller = useRef<HTMLElement>(null);
  const rows = useRef<HTMLDivElement>(null);
  const held = useHeldRows(rows);
  const [landing, setLanding] = useState<number | null>(null);
  const gestures = useMemo(newGestures, []);
  const reorder = useMemo(() => reorderer(studio, () => rows.current, setLanding), [studio]);
  const visible = useVisible(scroller, beat);
  useWheelZoom(scroller);
  const onMove = (event: PointerEvent): void => {
    const lane = (event.target as Element).closest<HTMLElement>("[data-lane]");
    if (lane === null) return;
    const box = lane.getBoundingClientRect();
    const cursor = { ctx: "timeline", tick: Math.round(tickAt(event, lane, beat)), track: lane.dataset["lane"] ?? null, y: (event.clientY - box.top) / box.height } as const;
    studio.session.presence.set({ cursor });
  };
  const end = quarters(timelineEnd(view, loopOf(studio)[2]));
  return (
    <GesturesContext.Provider value={gestures}>
      <ReorderContext.Provider value={reorder}>
        <div class="stage">
        <section class="timeline" aria-label="Timeline" ref={scroller} onPointerMove={onMove} onPointerLeave={() => studio.session.presence.set({ cursor: null })} data-testid="timeline">
          <div class={`timeline__surface ${visible.scale < FINE_SCALE ? "timeline__surface--coarse" : ""}`} style={{ "--beat": `${beat}px`, "--end": end }}>
            <div class="timeline__top">
              <div class="timeline__corner">
                <span class="timeline__count">{view.tracks.length === 1 ? "1 track" : `${view.tracks.length} tracks`}</span>
                {studio.session.canEdit && <button type="button" class="button button--quiet" disabled={newTrack !== null} title={newTrack ?? undefined} onClick={() => addTrack(studio)} data-testid="add-track"><Icon name="plus" />Track</button>}
              </div>
              <Ruler visible={visible.span} />
            </div>
            <div class="timeline__rows" ref={rows}>
              <GridLines visible={visible.span} />
              {view.tracks.map((track, index) => (
                <div key={track.id} class="row" data-row={track.id} data-testid="track" role="group" aria-label={`Track ${index + 1}: ${track.name}`}>
                  {((index >= visible.rows[0] && index < visible.rows[1]) || held.includes(track.id)) && (
                    <>
                      <TrackHeader track={track} index={index} mixing={whyNot(studio, [ofTrack(track.id, "gain_db")], locks)} shaping={whyNot(studio, [ofTrack(track.id, "name")], locks)} reader={!studio.session.canEdit} silent={track.mute || (solo.length > 0 && !solo.includes(track.id))} />
                      <Lane track={track} why={whyNot(studio, [ofClip(track.id)], locks)} span={visible.span} scale={visible.scale} />
                    </>
                  )}
                </div>
              ))}
              {landing !== null && <div class="landing" style={{ "--top": `${landing}px` }} />}
              <Pins />
              <Peers />
              <Playhead />
            </div>
          </div>
        </section>
        {view.tracks.length === 0 && <Empty />}
        </div>
      </ReorderContext.Provider>
    </GesturesContext.Provider>
  );
}

/** Rows that are drawn wherever they are: the one with the focus, the one being named, that of the clip where Tab comes in. */
function useHeldRows(rows: { readonly current: HTMLElement | null }): readonly string[] {
  const { ui, session } = useStudio();
  const [focused, setFocused] = useState<string | null>(null);
  const naming = useSlice(ui, (state) => state.naming);
  const selected = useSlice(ui, (state) => state.selected[0] ?? null);
  useEffect(() => {
    const element = rows.current;
    if (element === null) return;
    const onFocus = (event: FocusEvent): void => setFocused((event.target as Element).closest<HTMLElement>("[data-row]")?.dataset["row"] ?? null);
    element.addEventListener("focusin", onFocus);
    return () => element.removeEventListener("focusin", onFocus);
  }, []);
  const { byId, view } = reading(session);
  const clip = byId.get(selected ?? "") ?? view.clips[0];
  return [focused, naming, clip?.track ?? null].filter((id) => id !== null);
}

function Empty() {
  const studio = useStudio();
  const why = useWhyNot(NEW_TRACK);
  if (why !== null) return <div class="empty"><h2>Nothing here yet</h2><p>When somebody adds a track, it appears here at once.</p></div>;
  return (
    <div class="empty" data-testid="empty">
      <h2>Start with a track</h2>
      <p>A track is one voice of your mashup. Add one and double-click its lane to lay down a clip, or take a set of four.</p>
      <div class="empty__choices">
        <Button kind="main" onClick={() => addStarterTracks(studio)} testid="starter">Vocals, drums, bass and melody</Button>
        <Button onClick={() => addTrack(studio)}>One empty track</Button>
      </div>
      <p class="hint">Press <kbd>?</kbd> at any time to see the keys.</p>
    </div>
  );
}

/** Ctrl+wheel zooms around the pointer: the tick under it stays under it. Turns within one frame are one step. */
function useWheelZoom(scroller: { readonly current: HTMLElement | null }): void {
  const { ui } = useStudio();
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    let turned = 0;
    let frame = 0;
    const zoom = (x: number): void => {
      const { beat } = ui.value;
      const next = Math.min(ZOOM.max, Math.max(ZOOM.min, beat * Math.exp(-turned / 300)));
      const left = ((element.scrollLeft + x) * next) / beat - x;
      turned = 0;
      ui.set({ beat: next });
      frame = requestAnimationFrame(() => {
        element.scrollLeft = left;
        frame = turned === 0 ? 0 : requestAnimationFrame(() => zoom(x));
      });
    };
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      turned += event.deltaY;
      const x = event.clientX - element.getBoundingClientRect().left - HEADER_PX;
      frame ||= requestAnimationFrame(() => zoom(x));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => {
      cancelAnimationFrame(frame);
      element.removeEventListener("wheel", onWheel);
    };
  }, [ui]);
}
