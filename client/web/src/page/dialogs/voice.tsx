/** Who is talking, and one's own part in it: here with LiveKit, in a tab of its own with Daily. */

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, type VoiceMember, type VoiceRoom, type VoiceToken } from "../../client/api.ts";
import type { CallState } from "../../voice/call.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Button } from "../parts/button.tsx";
import { notice } from "../state/actions.ts";
import { useChanges } from "../state/store.ts";
import { useStudio, type Studio } from "../state/studio.ts";

/** While the control socket tells who is there nobody asks; without it, so often. */
const LOOK_MS = 30_000;
const LOOKING = "Looking who is talking…";

type Act = (request: Promise<unknown>) => void;

/** Daily's own page takes the token as part of its address. */
const doorway = ({ url, token }: VoiceToken): string => `${url}?${new URLSearchParams({ t: token })}`;

/** The room as the server shows it, or a sentence why not; looked at again whenever the server tells of a change. */
function useRoom({ api, about, sound }: Studio): readonly [VoiceRoom | string, () => void] {
  const project = about.value.project.id;
  const { control } = sound.deck;
  useChanges(control);
  const told = control.voice;
  const [room, setRoom] = useState<VoiceRoom | string>(LOOKING);
  const [wish, look] = useState(0);
  const looks = useRef(0);
  useEffect(() => {
    const mine = (looks.current += 1);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (shown: VoiceRoom | string, again: boolean): void => {
      if (mine !== looks.current) return;
      setRoom(shown);
      if (again) timer = setTimeout(() => look((count) => count + 1), LOOK_MS);
    };
    api.voice(project).then((found) => show(found, told === null), (error: Error) => {
      show(error.message, !(error instanceof ApiError && error.code === "voice_unconfigured"));
    });
    return () => clearTimeout(timer);
  }, [project, told, wish]);
  useEffect(() => () => void (looks.current = -1), []);
  return [room, () => look((count) => count + 1)];
}

export function Voice() {
  const studio = useStudio();
  const { call } = studio;
  useChanges(call);
  const [room, look] = useRoom(studio);
  const act: Act = (request) => void request.then(look, (error: Error) => notice(studio, error.message));
  const { trouble } = call.state;
  return (
    <section class="voice" aria-label="Voice" data-testid="voice">
      <h3 class="side__section">Voice</h3>
      {trouble !== null && <p class="voice__trouble" role="alert" data-testid="voice-trouble">{trouble}</p>}
      {typeof room === "string" ? <p class="side__empty" data-testid="voice-state">{room}</p> : <Room room={room} studio={studio} act={act} />}
    </section>
  );
}

interface RoomProps { readonly room: VoiceRoom; readonly studio: Studio; readonly act: Act }

function Room({ room, studio, act }: RoomProps) {
  const { api, about, call } = studio;
  const { id, role } = about.value.project;
  const here = room.participants;
  return (
    <>
      {here.length === 0 && <p class="side__empty" data-testid="voice-state">{call.state.phase === "in" ? "You are in the voice room." : "Nobody is talking."}</p>}
      <ul class="members">{here.map((member) => <Speaker key={member.user.id} member={member} studio={studio} act={act} />)}</ul>
      {!room.listen && <p class="side__empty" data-testid="voice-closed">In this project viewers are not let into voice.</p>}
      {room.listen && room.provider === "daily" && <p class="side__empty" data-testid="voice-elsewhere">Voices are with Daily here: its room opens in a new tab.</p>}
      <footer class="dialog__foot">
        {role === "owner" && here.length > 0 && <Button kind="danger" onClick={() => act(api.leaveVoice(id))} testid="voice-end">End for everybody</Button>}
        <Leave room={room} studio={studio} act={act} />
        {call.state.phase === "out" && room.listen && (room.provider === "daily" ? <Door room={room} studio={studio} /> : <Button onClick={() => void call.join()} testid="voice-enter">{enter(room)}</Button>)}
        {call.state.phase !== "out" && <Own studio={studio} />}
      </footer>
    </>
  );
}

const enter = (room: VoiceRoom): string => (room.speak ? "Talk" : "Listen");

/** Out of here; or of wherever else one is in. */
function Leave({ room, studio, act }: RoomProps) {
  const { api, me, about, call } = studio;
  if (call.state.phase !== "out") return <Button kind="quiet" onClick={() => void call.leave()} testid="voice-leave">{call.state.phase === "joining" ? "Cancel" : "Leave"}</Button>;
  const elsewhere = room.participants.some((member) => member.user.id === me.id);
  return elsewhere ? <Button kind="quiet" onClick={() => act(api.removeVoice(about.value.project.id, me.id))} testid="voice-leave">Leave</Button> : null;
}

/** The way to Daily's page: a browser opens tabs by a click alone, so that is asked for once there is a token. */
function Door({ room, studio }: { readonly room: VoiceRoom; readonly studio: Studio }) {
  const { api, about } = studio;
  const [door, setDoor] = useState<string | null>(null);
  const knock = (): void => void api.enterVoice(about.value.project.id).then((token) => setDoor(doorway(token)), (error: Error) => notice(studio, error.message));
  if (door === null) return <Button onClick={knock} testid="voice-enter">{enter(room)}</Button>;
  return <a class="button button--main" href={door} target="_blank" rel="noopener noreferrer" onClick={() => setDoor(null)} data-testid="voice-door">Open the voice room</a>;
}

/** One's own microphone and loudspeaker. */
function Own({ studio: { call } }: { readonly studio: Studio }) {
  const { phase, speak, muted, hushed } = call.state;
  if (phase !== "in") return <Button disabled onClick={() => undefined} testid="voice-joining">{phase === "joining" ? "Joining…" : "Coming back…"}</Button>;
  return (
    <>
      {hushed && <Button kind="main" onClick={() => void call.play()} testid="voice-play">Hear the others</Button>}
      {speak ? <Button onClick={() => void (muted ? call.unmute() : call.mute())} testid="voice-microphone">{muted ? "Unmute yourself" : "Mute yourself"}</Button> : <span class="voice__listening" data-testid="voice-listening">You listen</span>}
    </>
  );
}

interface SpeakerProps { readonly member: VoiceMember; readonly studio: Studio; readonly act: Act }

function Speaker({ member, studio, act }: SpeakerProps) {
  const { api, me, about, call } = studio;
  const { id, role } = about.value.project;
  const { user, muted } = member;
  const speaking = call.state.speaking.has(user.id);
  return (
    <li class={`member ${speaking ? "member--speaking" : ""}`} data-testid="voice-member" data-speaking={speaking}>
      <Avatar person={user} />
      <div class="member__who">
        <span>{user.name}{user.id === me.id && " (you)"}</span>
        <small>{standing(muted, speaking, user.id === me.id ? call.state : null)}</small>
      </div>
      {role === "owner" && user.id !== me.id && (
        <div class="member__actions">
          <Button kind="quiet" onClick={() => act(api.muteVoice(id, user.id, !muted))} testid="voice-mute">{muted ? "Unmute" : "Mute"}</Button>
          <Button kind="danger" onClick={() => act(api.removeVoice(id, user.id))} testid="voice-remove">Remove</Button>
        </div>
      )}
    </li>
  );
}

function standing(muted: boolean, speaking: boolean, own: CallState | null): string {
  if (muted) return "Muted by the owner";
  if (speaking) return "Speaking";
  return own !== null && own.phase === "in" && own.speak && own.muted ? "Your microphone is off" : "In the voice room";
}
