/** Bars, the loop, the edit cursor and the markers above the lanes. */

import { useRef, useState } from "preact/hooks";
import * as edits from "../../client/edits.ts";
import { ofMarker, ofSong } from "../../client/rights.ts";
import type { MarkerView } from "../../client/view.ts";
import { Editable } from "../parts/editable.tsx";
import { addMarker, loopOf } from "../state/actions.ts";
import { useWhyNot } from "../state/rights.ts";
import { putPlace, snapped } from "../state/select.ts";
import { useReading, useStudio, useUi, type Studio } from "../state/studio.ts";
import { followPointer } from "./drag.ts";
import { density, quarters, tickAt } from "./geometry.ts";
import type { Span } from "./window.ts";

export function Ruler({ visible }: { readonly visible: Span }) {
  const studio = useStudio();
  const { meter, view } = useReading();
  const ui = useUi();
  const why = useWhyNot(ofMarker);
  const strip = useRef<HTMLDivElement>(null);
  const { step } = density(ui.beat, quarters(meter.barTicksAt(visible[0])));
  return (
    <div class="ruler" ref={strip}>
      <div class="ruler__bars" data-testid="ruler" onPointerDown={(event) => event.button === 0 && strip.current && putPlace(studio, { ...ui.place, tick: snapped(studio, tickAt(event, strip.current, ui.beat)) })}>
        <LoopBand />
        {[...meter.lines(visible[0], visible[1], false, step)].map((line) => (
          <span key={line.tick} class="ruler__bar" style={{ "--at": quarters(line.tick) }}>{line.bar}</span>
        ))}
        <span class="ruler__place" style={{ "--at": quarters(ui.place.tick) }} title={`Cursor at ${meter.label(ui.place.tick)}`} />
      </div>
      <div class="ruler__markers" aria-label="Markers" role="group" onDblClick={(event) => {
        if (event.target !== event.currentTarget || strip.current === null) return;
        putPlace(studio, { ...ui.place, tick: snapped(studio, tickAt(event, strip.current, ui.beat)) });
        addMarker(studio);
      }}>
        {view.markers.map((marker) => <Marker key={marker.id} marker={marker} studio={studio} naming={ui.naming === marker.id} label={meter.label(marker.tick)} beat={ui.beat} why={why} />)}
      </div>
    </div>
  );
}

interface MarkerProps { readonly marker: MarkerView; readonly studio: Studio; readonly naming: boolean; readonly label: string; readonly beat: number; readonly why: string | null }

function Marker({ marker, studio, naming, label, beat, why }: MarkerProps) {
  const [dragged, setDragged] = useState<number | null>(null);
  const { pen } = studio.session;
  const canEdit = why === null;
  const moved = (dx: number): number => snapped(studio, marker.tick + (dx / beat) * 960);
  const press = (event: PointerEvent): void => {
    if (!canEdit || event.button !== 0 || naming) return;
    followPointer(event, {
      move: (_event, dx) => setDragged(moved(dx)),
      end: (release, far) => {
        setDragged(null);
        if (far) edits.moveMarker(pen, marker.id, moved(release.clientX - event.clientX));
        else putPlace(studio, { ...studio.ui.value.place, tick: marker.tick });
      },
      cancel: () => setDragged(null),
    });
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (!canEdit || naming || (step === 0 && !["Enter", "F2", "Delete", "Backspace"].includes(event.key))) return;
    event.preventDefault();
    if (step !== 0) edits.moveMarker(pen, marker.id, snapped(studio, marker.tick + step * 960));
    else if (event.key === "Delete" || event.key === "Backspace") edits.deleteMarker(pen, marker.id);
    else studio.ui.set({ naming: marker.id });
  };
  return (
    <div class="marker" role="button" tabIndex={0} aria-label={`Marker ${marker.label} at ${label}`} title={why ?? undefined} data-testid="marker" data-own-keys
      style={{ "--at": quarters(dragged ?? marker.tick), "--color": marker.color }} onPointerDown={press} onKeyDown={onKey}>
      <Editable value={marker.label || "Marker"} label="Marker name" max={80} editing={naming} onStart={() => canEdit && studio.ui.set({ naming: marker.id })}
        onDone={(value) => {
          if (value !== null && canEdit) edits.renameMarker(pen, marker.id, value);
          studio.ui.set({ naming: null });
        }} />
    </div>
  );
}

function LoopBand() {
  const studio = useStudio();
  const { beat } = useUi();
  useReading();
  const why = useWhyNot(ofSong("loop"));
  const [on, start, end] = loopOf(studio);
  const [draft, setDraft] = useState<readonly [number, number] | null>(null);
  const [from, to] = draft ?? [start, end];
  const press = (part: "start" | "end" | "both") => (event: PointerEvent): void => {
    if (why !== null || event.button !== 0) return;
    event.stopPropagation();
    const place = (dx: number): readonly [number, number] => {
      const by = (dx / beat) * 960;
      const low = part === "end" ? start : snapped(studio, start + by);
      const high = part === "start" ? end : part === "both" ? low + end - start : snapped(studio, end + by);
      return low < high ? [low, high] : [start, end];
    };
    followPointer(event, {
      move: (_event, dx) => setDraft(place(dx)),
      end: (release, moved) => {
        setDraft(null);
        if (moved) edits.setLoop(studio.session.pen, [on, ...place(release.clientX - event.clientX)]);
      },
      cancel: () => setDraft(null),
    });
  };
  return (
    <div class={`loop-band ${on === 1 ? "loop-band--on" : ""}`} style={{ "--at": quarters(from), "--long": quarters(to - from) }} title={why ?? (on === 1 ? "Loop" : "Loop (off)")} data-testid="loop-band" onPointerDown={press("both")}>
      <span class="loop-band__edge" onPointerDown={press("start")} />
      <span class="loop-band__edge loop-band__edge--end" onPointerDown={press("end")} />
    </div>
  );
}
