/** Undo, tempo, signature, loop, grid and zoom. */

import { useEffect, useRef } from "preact/hooks";
import * as edits from "../../client/edits.ts";
import { BPM, DENOMINATORS } from "../../client/schema.ts";
import { transport } from "../../client/valid.ts";
import { Button, IconButton } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { ofClip, ofMarker, ofSong } from "../../client/rights.ts";
import { NEW_TRACK, addClip, addMarker, nudge, startNote, toggleLoop, zoom } from "../state/actions.ts";
import { mayComment } from "../../client/api.ts";
import { useReader, useWhyNot } from "../state/rights.ts";
import { placeTrack, selectedClips } from "../state/select.ts";
import { useChanges, useSlice } from "../state/store.ts";
import { useReading, useStudio, useUi } from "../state/studio.ts";
import { GRIDS, type Grid } from "../state/ui.ts";
import { TransportTools } from "./transport.tsx";

export function Tools() {
  return (
    <div class="tools" role="toolbar" aria-label="Tools">
      <UndoTools />
      <i class="tools__rule" />
      <AddTools />
      <TransportTools />
      <TimeTools />
      <div class="tools__space" />
      <ViewTools />
    </div>
  );
}

function UndoTools() {
  const { session } = useStudio();
  const why = useReader();
  useChanges(session.undo);
  return (
    <div class="tools__group">
      <IconButton icon="undo" label="Undo my last edit" keys="Ctrl+Z" why={why} disabled={!session.undo.canUndo} onClick={() => session.undo.undo()} testid="undo" />
      <IconButton icon="redo" label="Redo" keys="Shift+Ctrl+Z" why={why} disabled={!session.undo.canRedo} onClick={() => session.undo.redo()} testid="redo" />
    </div>
  );
}

function AddTools() {
  const studio = useStudio();
  const place = useSlice(studio.ui, () => placeTrack(studio));
  const clip = useWhyNot(place === null ? NEW_TRACK : ofClip(null, place));
  const marker = useWhyNot(ofMarker);
  const { canEdit, role } = studio.session;
  if (!mayComment(role)) return null;
  return (
    <div class="tools__group">
      {canEdit && <Button kind="quiet" why={clip} onClick={() => addClip(studio)} testid="add-clip"><Icon name="plus" />Clip</Button>}
      {canEdit && <Button kind="quiet" why={marker} onClick={() => addMarker(studio)} testid="add-marker"><Icon name="flag" />Marker</Button>}
      <Button kind="quiet" onClick={() => startNote(studio)} testid="add-note"><Icon name="note" />Note</Button>
      {canEdit && <NudgeTools />}
      <i class="tools__rule" />
    </div>
  );
}

/** Moves the selected clips by a step of the grid. */
function NudgeTools() {
  const studio = useStudio();
  useUi();
  const clips = selectedClips(studio);
  const why = useWhyNot(...clips.map((clip) => ofClip(clip.track)));
  const told = clips.length === 0 ? "Select a clip to move it by a step of the grid." : why;
  return (
    <>
      <IconButton icon="earlier" label="Move the clip earlier" keys="←" why={told} onClick={() => nudge(studio, -1)} testid="nudge-earlier" />
      <IconButton icon="later" label="Move the clip later" keys="→" why={told} onClick={() => nudge(studio, 1)} testid="nudge-later" />
    </>
  );
}

function TimeTools() {
  const studio = useStudio();
  const { document, meter } = useReading();
  const ui = useUi();
  const { pen } = studio.session;
  const [bpm, signature, looping] = [useWhyNot(ofSong("bpm")), useWhyNot(ofSong("signature")), useWhyNot(ofSong("loop"))];
  const [num, den] = transport(document, "signature");
  const loop = transport(document, "loop");
  return (
    <div class="tools__group">
      <NumberField label="Tempo" unit="bpm" value={transport(document, "bpm")} min={BPM.min} max={BPM.max} why={bpm} onChange={(typed) => edits.setBpm(pen, typed)} testid="tempo" />
      <div class="field" role="group" aria-label="Time signature">
        <select aria-label="Beats in a bar" value={num} disabled={signature !== null} title={signature ?? undefined} onChange={(event) => edits.setSignature(pen, [Number(event.currentTarget.value), den])} data-testid="signature-num">
          {Array.from({ length: 32 }, (_, at) => <option key={at} value={at + 1}>{at + 1}</option>)}
        </select>
        <span aria-hidden="true">/</span>
        <select aria-label="Beat unit" value={den} disabled={signature !== null} title={signature ?? undefined} onChange={(event) => edits.setSignature(pen, [num, Number(event.currentTarget.value)])} data-testid="signature-den">
          {DENOMINATORS.map((unit) => <option key={unit} value={unit}>{unit}</option>)}
        </select>
      </div>
      <IconButton icon="loop" label={loop[0] === 1 ? "Loop is on" : "Loop is off"} keys="L" pressed={loop[0] === 1} why={looping} onClick={() => toggleLoop(studio)} testid="loop" />
      <span class="position" title="Edit cursor: bar.beat" data-testid="position">{meter.label(ui.place.tick)}</span>
    </div>
  );
}

function ViewTools() {
  const studio = useStudio();
  const { grid } = useUi();
  return (
    <div class="tools__group">
      <label class="field"><span class="field__name">Grid</span>
        <select value={String(grid)} onChange={(event) => studio.ui.set({ grid: readGrid(event.currentTarget.value) })} data-testid="grid">
          {GRIDS.map(([value, name]) => <option key={name} value={String(value)}>{name}</option>)}
        </select>
      </label>
      <IconButton icon="minus" label="Zoom out" keys="−" onClick={() => zoom(studio, 0.8)} testid="zoom-out" />
      <IconButton icon="plus" label="Zoom in" keys="+" onClick={() => zoom(studio, 1.25)} testid="zoom-in" />
    </div>
  );
}

const readGrid = (value: string): Grid => (value === "bar" ? "bar" : Number(value));

interface NumberFieldProps { readonly label: string; readonly unit: string; readonly value: number; readonly min: number; readonly max: number; readonly why: string | null; readonly onChange: (value: number) => void; readonly testid: string }

/** Written on Enter or on leaving, not on every digit. */
function NumberField({ label, unit, value, min, max, why, onChange, testid }: NumberFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const shown = String(Math.round(value * 100) / 100);
  useEffect(() => {
    if (field.current !== null && document.activeElement !== field.current) field.current.value = shown;
  }, [shown]);
  const done = (): void => {
    const typed = field.current?.valueAsNumber ?? NaN;
    if (Number.isFinite(typed) && typed >= min && typed <= max && typed !== value) onChange(typed);
    else if (field.current !== null) field.current.value = shown;
  };
  return (
    <label class="field" title={why ?? undefined}><span class="field__name">{label}</span>
      <input ref={field} type="number" class="field__number" defaultValue={shown} min={min} max={max} step="any" disabled={why !== null} data-testid={testid} onBlur={done} onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()} />
      <span class="field__unit">{unit}</span>
    </label>
  );
}
