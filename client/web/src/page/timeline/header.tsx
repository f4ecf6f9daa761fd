/** A track's name and its sound: everything left of the lane. */

import { memo } from "preact/compat";
import { useContext, useEffect, useState } from "preact/hooks";
import * as edits from "../../client/edits.ts";
import { LIMITS, LOST, PALETTE, PAN, TRACK_GAIN } from "../../client/schema.ts";
import type { TrackView } from "../../client/view.ts";
import { Editable } from "../parts/editable.tsx";
import { Icon } from "../parts/icons.tsx";
import { Menu, MenuItem } from "../parts/menu.tsx";
import { Slider } from "../parts/slider.tsx";
import { moveTrackBy, notice, toggleSolo } from "../state/actions.ts";
import { useChanges, useSlice } from "../state/store.ts";
import { reading, usePeople, useStudio, type Studio } from "../state/studio.ts";
import { ReorderContext } from "./reorder.ts";

const decibels = (value: number): string => (value <= TRACK_GAIN.min ? "−∞" : `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(1)}`);
const side = (value: number): string => (Math.abs(value) < 0.005 ? "C" : `${value < 0 ? "L" : "R"}${Math.round(Math.abs(value) * 100)}`);

interface HeaderProps { readonly track: TrackView; readonly index: number; readonly silent: boolean; readonly canEdit: boolean }

function Header({ track, index, silent, canEdit }: HeaderProps) {
  const studio = useStudio();
  const naming = useSlice(studio.ui, (ui) => ui.naming === track.id);
  const solo = useSlice(studio.ui, (ui) => ui.solo.includes(track.id));
  const { pen } = studio.session;
  const start = useContext(ReorderContext);
  const done = (name: string | null): void => {
    if (name !== null) edits.renameTrack(pen, track.id, name);
    studio.ui.set({ naming: null });
  };
  return (
    <div class={`track-head ${silent ? "track-head--silent" : ""}`} style={{ "--color": track.color }}>
      <span class={`track-head__grip ${canEdit ? "" : "track-head__grip--fixed"}`} aria-hidden="true" onPointerDown={(event) => canEdit && start(track.id, event)} data-testid="track-grip">
        <span class="track-head__number">{index + 1}</span><Icon name="grip" />
      </span>
      <div class="track-head__main">
        <div class="track-head__line">
          <Editable value={track.name} label="Track name" max={LIMITS.name} editing={naming} testid="track-name"
            onStart={() => canEdit && studio.ui.set({ naming: track.id })} onDone={done} />
          <Toggle label={`Mute ${track.name}`} letter="M" on={track.mute} kind="mute" disabled={!canEdit} onClick={() => edits.setTrackMute(pen, track.id, !track.mute)} />
          <Toggle label={`Solo ${track.name} for me`} letter="S" on={solo} kind="solo" disabled={false} onClick={() => toggleSolo(studio, track.id)} />
          <LockBadge track={track} />
          {canEdit && <TrackMenu track={track} studio={studio} />}
        </div>
        <div class="track-head__line">
          <Slider label={`Gain of ${track.name}, decibels`} value={track.gain_db} {...TRACK_GAIN} min={-48} step={0.5} initial={0} disabled={!canEdit} shown={decibels} testid="track-gain"
            onChange={(value) => edits.setTrackGain(pen, track.id, value <= -48 ? TRACK_GAIN.min : value)} />
          <Slider label={`Pan of ${track.name}`} kind="narrow" value={track.pan} {...PAN} step={0.05} initial={0} disabled={!canEdit} shown={side} testid="track-pan"
            onChange={(value) => edits.setTrackPan(pen, track.id, value)} />
        </div>
      </div>
    </div>
  );
}

/** Drawn again when the track's own fields change, not with every clip. */
export const TrackHeader = memo(Header, (a, b) => a.index === b.index && a.silent === b.silent && a.canEdit === b.canEdit && JSON.stringify(a.track) === JSON.stringify(b.track));

interface ToggleProps { readonly label: string; readonly letter: string; readonly on: boolean; readonly kind: "mute" | "solo"; readonly disabled: boolean; readonly onClick: () => void }

const Toggle = ({ label, letter, on, kind, disabled, onClick }: ToggleProps) => (
  <button type="button" class={`toggle toggle--${kind}`} aria-label={label} title={label} aria-pressed={on} disabled={disabled} onClick={onClick} data-testid={`track-${kind}`}>
    {letter}
  </button>
);

type Holder = { readonly user: string; readonly until: number } | null;

/** Who holds the track now. */
function holder(studio: Studio, id: string): Holder {
  const track = reading(studio.session).document.tracks[id];
  if (typeof track !== "object" || track === null || !("lock" in track)) return null;
  const [user, until] = Array.isArray(track["lock"]) ? (track["lock"] as readonly unknown[]) : [];
  return typeof user === "string" && typeof until === "number" && until > Date.now() ? { user, until } : null;
}

/** A held track says so until its time is over. */
function LockBadge({ track }: { readonly track: TrackView }) {
  const studio = useStudio();
  const people = usePeople();
  useChanges(studio.session.mirror);
  const [, look] = useState(0);
  const held = holder(studio, track.id);
  useEffect(() => {
    if (held === null) return;
    const timer = setTimeout(() => look((count) => count + 1), held.until - Date.now() + 50);
    return () => clearTimeout(timer);
  }, [held?.until]);
  if (held === null) return null;
  const who = held.user === studio.me.id ? "you" : (people.get(held.user)?.name ?? "somebody");
  return <span class="track-head__lock" role="img" aria-label={`Held by ${who}`} title={`Held by ${who} until ${new Date(held.until).toLocaleTimeString()}`} data-testid="track-lock"><Icon name="lock" /></span>;
}

interface LockItemProps { readonly track: TrackView; readonly studio: Studio; readonly then: (run: () => void) => () => void }

function LockItem({ track, studio, then }: LockItemProps) {
  const { api, about, me } = studio;
  const { id, role } = about.value.project;
  const held = holder(studio, track.id);
  const ask = (request: Promise<unknown>): void => void request.catch((error: Error) => notice(studio, error.message));
  if (held === null) return <MenuItem onClick={then(() => ask(api.lockTrack(id, track.id)))} testid="track-hold">Hold for ten minutes</MenuItem>;
  if (held.user !== me.id && role !== "owner") return null;
  return <MenuItem onClick={then(() => ask(api.unlockTrack(id, track.id)))} testid="track-release">{held.user === me.id ? "Give it back" : "Break the lock"}</MenuItem>;
}

function TrackMenu({ track, studio }: { readonly track: TrackView; readonly studio: Studio }) {
  const { pen } = studio.session;
  return (
    <Menu icon="more" label={`More about ${track.name}`} testid="track-menu">
      {(close) => {
        const then = (run: () => void) => () => {
          close();
          run();
        };
        return (
          <>
            <MenuItem onClick={then(() => studio.ui.set({ naming: track.id }))} testid="track-rename">Rename</MenuItem>
            <MenuItem onClick={then(() => moveTrackBy(studio, track.id, -1))} testid="track-up">Move up</MenuItem>
            <MenuItem onClick={then(() => moveTrackBy(studio, track.id, 1))} testid="track-down">Move down</MenuItem>
            <LockItem track={track} studio={studio} then={then} />
            <div class="swatches" role="group" aria-label="Colour">
              {PALETTE.map((color) => (
                <button key={color} type="button" class="swatch" role="menuitemradio" aria-checked={color === track.color} aria-label={`Colour ${color}`} style={{ "--color": color }}
                  onClick={then(() => edits.setTrackColor(pen, track.id, color))} />
              ))}
            </div>
            {track.id !== LOST && <MenuItem danger onClick={then(() => edits.deleteTrack(pen, track.id))} testid="track-delete">Delete track</MenuItem>}
          </>
        );
      }}
    </Menu>
  );
}
