/** LiveKit's own client as a line. It is large: only whoever joins voice loads it. */

import { ConnectionError, ConnectionErrorReason, DisconnectReason, isBrowserSupported, LogLevel, Room, RoomEvent, setLogLevel, Track, type Participant, type RemoteTrack } from "livekit-client";
import type { VoiceToken } from "../client/api.ts";
import type { Ears, Line } from "./call.ts";
import { NoLine, type Ending } from "./words.ts";

export async function connect({ url, token }: VoiceToken, ears: Ears): Promise<Line> {
  setLogLevel(LogLevel.warn);
  if (!isBrowserSupported()) throw new NoLine("unsupported");
  const room = new Room();
  let [signalled, open] = [false, false];
  room.on(RoomEvent.SignalConnected, () => (signalled = true));
  hear(room, ears, () => open);
  try {
    await room.connect(url, token);
  } catch (error) {
    throw new NoLine(why(error, signalled), error);
  }
  open = true;
  ears.hushed(!room.canPlaybackAudio);
  return lineOf(room);
}

function lineOf(room: Room): Line {
  return {
    get speak() {
      return speaks(room);
    },
    microphone: async (on) => {
      if (on && navigator.mediaDevices === undefined) throw new DOMException("not by https", "SecurityError");
      await room.localParticipant.setMicrophoneEnabled(on);
    },
    play: () => room.startAudio(),
    close: () => room.disconnect(),
  };
}

const speaks = (room: Room): boolean => room.localParticipant.permissions?.canPublish === true;

function hear(room: Room, ears: Ears, open: () => boolean): void {
  const own = (): void => ears.muted(!room.localParticipant.isMicrophoneEnabled);
  const mine = (participant: Participant): boolean => participant === room.localParticipant;
  room
    .on(RoomEvent.TrackSubscribed, (track) => sound(track))
    .on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((element) => element.remove()))
    .on(RoomEvent.ActiveSpeakersChanged, (speakers) => ears.speaking(new Set(speakers.map((speaker) => speaker.identity))))
    .on(RoomEvent.ParticipantPermissionsChanged, (_, participant) => {
      if (!mine(participant)) return;
      ears.allowed(speaks(room));
      if (!speaks(room)) void hush(room);
    })
    .on(RoomEvent.TrackMuted, (_, participant) => mine(participant) && own())
    .on(RoomEvent.TrackUnmuted, (_, participant) => mine(participant) && own())
    .on(RoomEvent.LocalTrackPublished, own)
    .on(RoomEvent.LocalTrackUnpublished, own)
    .on(RoomEvent.AudioPlaybackStatusChanged, () => ears.hushed(!room.canPlaybackAudio))
    .on(RoomEvent.Reconnecting, () => ears.broken(true))
    .on(RoomEvent.SignalReconnecting, () => ears.broken(true))
    .on(RoomEvent.Reconnected, () => ears.broken(false))
    .on(RoomEvent.Disconnected, (reason) => {
      if (open() && reason !== DisconnectReason.CLIENT_INITIATED) ears.ended(ending(reason));
    });
}

/** Whom nobody may hear any more keeps no microphone. */
async function hush({ localParticipant }: Room): Promise<void> {
  const track = localParticipant.getTrackPublication(Track.Source.Microphone)?.track;
  if (track !== undefined) await localParticipant.unpublishTrack(track);
}

function sound(track: RemoteTrack): void {
  if (track.kind === Track.Kind.Audio) document.body.append(track.attach());
}

function why(error: unknown, signalled: boolean): NoLine["reason"] {
  if (signalled) return "silent";
  return error instanceof ConnectionError && error.reason === ConnectionErrorReason.NotAllowed ? "refused" : "unreachable";
}

function ending(reason: DisconnectReason | undefined): Ending {
  switch (reason) {
    case DisconnectReason.PARTICIPANT_REMOVED:
      return "removed";
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return "closed";
    case DisconnectReason.DUPLICATE_IDENTITY:
      return "elsewhere";
    default:
      return "lost";
  }
}
