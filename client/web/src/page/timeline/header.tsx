/** A track's name and its sound: everything left of the lane. */

import { memo } from "preact/compat";
import { useContext } from "preact/hooks";
import * as edits from "../../client/edits.ts";
import { ofTrack, reaches } from "../../client/rights.ts";
import { LIMITS, LOST, PALETTE, PAN, TRACK_GAIN } from "../../client/schema.ts";
import type { TrackView } from "../../client/view.ts";
import { Editable } from "../parts/editable.tsx";
import { Icon } from "../parts/icons.tsx";
import { Menu, MenuItem } from "../parts/menu.tsx";
import { Slider } from "../parts/slider.tsx";
import { moveTrackBy, notice, toggleSolo } from "../state/actions.ts";
import { allowed, locksNow, personName, useLocks, whyNot } from "../state/rights.ts";
import { useSlice } from "../state/store.ts";
import { usePeople, useStudio, type Studio } from "../state/studio.ts";
import { ReorderContext } from "./reorder.ts";

const decibels = (value: number): string => (value <= TRACK_GAIN.min ? "−∞" : `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(1)}`);
const side = (value: number): string => (Math.abs(value) < 0.005 ? "C" : `${value < 0 ? "L" : "R"}${Math.round(Math.abs(value) * 100)}`);

/** Why the mix or anything else of the track may not be changed, if so; readers see no menu at all. */
interface HeaderProps { readonly track: TrackView; readonly index: number; readonly silent: boolean; readonly mixing: string | null; readonly shaping: string | null; readonly reader: boolean }

function Header({ track, index, silent, mixing, shaping, reader }: HeaderProps) {
  const studio = useStudio();
  const naming = useSlice(studio.ui, (ui) => ui.naming === track.id);
  const solo = useSlice(studio.ui, (ui) => ui.solo.includes(track.id));
  const { pen } = studio.session;
  const start = useContext(ReorderContext);
  const done = (name: string | null): void => {
    if (name !== null && allowed(studio, ofTrack(track.id, "name"))) edits.renameTrack(pen, track.id, name);
    studio.ui.set({ naming: null });
  };
  return (
    <div class={`track-head ${silent ? "track-head--silent" : ""} ${shaping !== null && mixing !== null ? "track-head--barred" : ""}`} title={shaping ?? undefined} style={{ "--color": track.color }}>
      <span class={`track-head__grip ${shaping === null ? "" : "track-head__grip--fixed"}`} aria-hidden="true" onPointerDown={(event) => shaping === null && start(track.id, event)} data-testid="track-grip">
        <span class="track-head__number">{index + 1}</span><Icon name="grip" />
      </span>
      <div class="track-head__main">
        <div class="track-head__line">
          <Editable value={track.name} label="Track name" max={LIMITS.name} editing={naming} testid="track-name"
            onStart={() => shaping === null && studio.ui.set({ naming: track.id })} onDone={done} />
          <LockBadge track={track} />
          <Toggle label={`Mute ${track.name}`} letter="M" on={track.mute} kind="mute" why={mixing} onClick={() => edits.setTrackMute(pen, track.id, !track.mute)} />
          <Toggle label={`Solo ${track.name} for me`} letter="S" on={solo} kind="solo" why={null} onClick={() => toggleSolo(studio, track.id)} />
          {!reader && <TrackMenu track={track} studio={studio} why={shaping} />}
        </div>
        <div class="track-head__line">
          <Slider label={`Gain of ${track.name}, decibels`} value={track.gain_db} {...TRACK_GAIN} min={-48} step={0.5} initial={0} why={mixing} shown={decibels} testid="track-gain"
            onChange={(value) => edits.setTrackGain(pen, track.id, value <= -48 ? TRACK_GAIN.min : value)} />
          <Slider label={`Pan of ${track.name}`} kind="narrow" value={track.pan} {...PAN} step={0.05} initial={0} why={mixing} shown={side} testid="track-pan"
            onChange={(value) => edits.setTrackPan(pen, track.id, value)} />
        </div>
      </div>
    </div>
  );
}

/** Drawn again when the track's own fields change, not with every clip. */
export const TrackHeader = memo(Header, (a, b) => a.index === b.index && a.silent === b.silent && a.mixing === b.mixing && a.shaping === b.shaping && a.reader === b.reader && JSON.stringify(a.track) === JSON.stringify(b.track));

interface ToggleProps { readonly label: string; readonly letter: string; readonly on: boolean; readonly kind: "mute" | "solo"; readonly why: string | null; readonly onClick: () => void }

const Toggle = ({ label, letter, on, kind, why, onClick }: ToggleProps) => (
  <button type="button" class={`toggle toggle--${kind}`} aria-label={label} title={why ?? label} aria-pressed={on} disabled={why !== null} onClick={onClick} data-testid={`track-${kind}`}>
    {letter}
  </button>
);

/** A held track says so until its time is over. */
function LockBadge({ track }: { readonly track: TrackView }) {
  const studio = useStudio();
  usePeople();
  const lock = useLocks().get(track.id);
  if (lock === undefined) return null;
  const who = lock.user === studio.me.id ? "you" : personName(studio, lock.user);
  const holder = lock.user === studio.me.id ? null : <span class="track-head__holder">{who}</span>;
  return <span class="track-head__lock" role="img" aria-label={`Held by ${who}`} title={`Held by ${who} until ${new Date(lock.until).toLocaleTimeString()}`} data-testid="track-lock"><Icon name="lock" />{holder}</span>;
}

interface LockItemProps { readonly track: TrackView; readonly studio: Studio; readonly then: (run: () => void) => () => void }

function LockItem({ track, studio, then }: LockItemProps) {
  const { api, about, me } = studio;
  const { id, role } = about.value.project;
  const held = locksNow(studio).get(track.id) ?? null;
  const { role: own, restriction } = studio.session;
  const ask = (request: Promise<unknown>): void => void request.catch((error: Error) => notice(studio, error.message));
  if (held === null) return <MenuItem onClick={then(() => ask(api.lockTrack(id, track.id)))} why={own === "editor" && !reaches(restriction, track.id) ? whyNot(studio, [ofTrack(track.id, "name")]) : null} testid="track-hold">Hold for ten minutes</MenuItem>;
  if (held.user !== me.id && role !== "owner") return null;
  return <MenuItem onClick={then(() => ask(api.unlockTrack(id, track.id)))} testid="track-release">{held.user === me.id ? "Give it back" : "Break the lock"}</MenuItem>;
}

interface MenuProps { readonly track: TrackView; readonly studio: Studio; readonly why: string | null }

/** `why` the track itself may not be changed, if so; holding it and giving it back is another matter. */
function TrackMenu({ track, studio, why }: MenuProps) {
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
            <MenuItem onClick={then(() => studio.ui.set({ naming: track.id }))} why={why} testid="track-rename">Rename</MenuItem>
            <MenuItem onClick={then(() => moveTrackBy(studio, track.id, -1))} why={why} testid="track-up">Move up</MenuItem>
            <MenuItem onClick={then(() => moveTrackBy(studio, track.id, 1))} why={why} testid="track-down">Move down</MenuItem>
            <LockItem track={track} studio={studio} then={then} />
            <div class="swatches" role="group" aria-label="Colour">
              {PALETTE.map((color) => (
                <button key={color} type="button" class="swatch" role="menuitemradio" aria-checked={color === track.color} aria-label={`Colour ${color}`} disabled={why !== null} title={why ?? undefined} style={{ "--color": color }}
                  onClick={then(() => edits.setTrackColor(pen, track.id, color))} />
              ))}
            </div>
            {track.id !== LOST && <MenuItem danger why={why} onClick={then(() => edits.deleteTrack(pen, track.id))} testid="track-delete">Delete track</MenuItem>}
          </>
        );
      }}
    </Menu>
  );
}
