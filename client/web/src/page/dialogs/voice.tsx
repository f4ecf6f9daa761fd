/** Who is talking, and the way in. The sound is the voice provider's own page: this one carries none. */

import { useEffect, useState } from "preact/hooks";
import { ApiError, type VoiceMember, type VoiceRoom, type VoiceToken } from "../../client/api.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Button } from "../parts/button.tsx";
import { notice } from "../state/actions.ts";
import { useStudio, type Studio } from "../state/studio.ts";

const LOOK_MS = 15_000;

/** The provider's page for a token: Daily's room, or LiveKit's own meeting page. Both take it as part of the address. */
function doorway({ provider, url, token }: VoiceToken): string {
  const given = new URLSearchParams(provider === "daily" ? { t: token } : { liveKitUrl: url, token });
  return `${provider === "daily" ? url : "https://meet.livekit.io/custom"}?${given}`;
}

export function Voice() {
  const studio = useStudio();
  const project = studio.about.value.project.id;
  const [room, setRoom] = useState<VoiceRoom | string>("Looking who is talking…");
  const [door, setDoor] = useState<string | null>(null);
  const look = (): Promise<boolean> => studio.api.voice(project).then((found) => (setRoom(found), true), (error: unknown) => {
    setRoom(error instanceof Error ? error.message : String(error));
    return !(error instanceof ApiError && error.code === "voice_unconfigured");
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const again = (): void => void look().then((worthwhile) => {
      if (worthwhile && !over) timer = setTimeout(again, LOOK_MS);
    });
    again();
    return () => { over = true; clearTimeout(timer); };
  }, [project]);
  const act = (request: Promise<unknown>): void => void request.then(look).catch((error: Error) => notice(studio, error.message));
  const enter = (): void => act(studio.api.enterVoice(project).then((token) => setDoor(doorway(token))));
  return (
    <section aria-label="Voice" data-testid="voice">
      <h3 class="side__section">Voice</h3>
      {typeof room === "string" ? <p class="side__empty" data-testid="voice-state">{room}</p> : <Room room={room} door={door} studio={studio} act={act} onEnter={enter} onEntered={() => setDoor(null)} />}
    </section>
  );
}

interface RoomProps { readonly room: VoiceRoom; readonly door: string | null; readonly studio: Studio; readonly act: (request: Promise<unknown>) => void; readonly onEnter: () => void; readonly onEntered: () => void }

function Room({ room, door, studio, act, onEnter, onEntered }: RoomProps) {
  const { api, me, about } = studio;
  const { id, role } = about.value.project;
  const here = room.participants;
  return (
    <>
      {here.length === 0 && <p class="side__empty" data-testid="voice-state">Nobody is talking.</p>}
      <ul class="members">{here.map((member) => <Speaker key={member.user.id} member={member} studio={studio} act={act} />)}</ul>
      <footer class="dialog__foot">
        {role === "owner" && here.length > 0 && <Button kind="danger" onClick={() => act(api.leaveVoice(id))} testid="voice-end">End for everybody</Button>}
        {here.some((member) => member.user.id === me.id) && <Button kind="quiet" onClick={() => act(api.removeVoice(id, me.id))} testid="voice-leave">Leave</Button>}
        {door !== null && <a class="button button--main" href={door} target="_blank" rel="noopener noreferrer" onClick={onEntered} data-testid="voice-door">Open the voice room</a>}
        {door === null && room.listen && <Button onClick={onEnter} testid="voice-enter">{room.speak ? "Talk" : "Listen"}</Button>}
      </footer>
    </>
  );
}

interface SpeakerProps { readonly member: VoiceMember; readonly studio: Studio; readonly act: (request: Promise<unknown>) => void }

function Speaker({ member, studio, act }: SpeakerProps) {
  const { api, me, about } = studio;
  const { id, role } = about.value.project;
  const { user, muted } = member;
  return (
    <li class="member" data-testid="voice-member">
      <Avatar person={user} />
      <div class="member__who">
        <span>{user.name}{user.id === me.id && " (you)"}</span>
        <small>{muted ? "Muted by the owner" : "In the voice room"}</small>
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
