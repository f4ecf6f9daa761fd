"""LiveKit's signalling as its protocol describes it, for its own client in a browser; a page carries the media.

Only what that client needs to be in a room: one peer connection (`/rtc/v1`), the offer that comes with the join, one
track. It was written from the protocol's messages, not from a server.
"""

import base64
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import WSMsgType, web
from livekit.protocol.models import DisconnectReason, ParticipantInfo, Room, ServerInfo, SpeakerInfo, TrackInfo
from livekit.protocol.rtc import (
    AddTrackRequest,
    JoinRequest,
    JoinResponse,
    LeaveRequest,
    ParticipantUpdate,
    Pong,
    SessionDescription,
    SignalRequest,
    SignalResponse,
    SpeakersChanged,
    TrackPublishedResponse,
    WrappedJoinRequest,
)
from playwright.async_api import Page

from tests.voice.fake_livekit import FakeLiveKit, TwirpError

VERSION: Final = "1.9.0"
MEDIA: Final = """
() => {
  const peers = new Map();
  window.answer = async ([who, sdp]) => {
    const peer = peers.get(who) ?? peers.set(who, new RTCPeerConnection()).get(who);
    await peer.setRemoteDescription({ type: "offer", sdp });
    await peer.setLocalDescription();
    if (peer.iceGatheringState !== "complete")
      await new Promise((done) => {
        peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done();
      });
    return peer.localDescription.sdp;
  };
  window.candidate = ([who, init]) => peers.get(who)?.addIceCandidate(init);
  window.bytes = async (who) => [...(await peers.get(who).getStats()).values()]
    .filter((stat) => stat.type === "inbound-rtp").reduce((sum, stat) => sum + stat.bytesReceived, 0);
}
"""
"""The other end of everybody's peer connection: it answers offers, and counts what it hears of whom."""

Send = Callable[[SignalResponse], Awaitable[None]]


@dataclass
class TalkingLiveKit(FakeLiveKit):
    """A server that browsers can join. `media` is a page with MEDIA in it."""

    media: Page | None = None
    deaf: bool = False
    """Browsers do not reach it: their connections end without a word."""
    lines: dict[str, Send] = field(default_factory=dict)
    """By identity."""
    tracks: dict[str, TrackInfo] = field(default_factory=dict)

    async def signal(self, request: web.Request) -> web.StreamResponse:
        """The websocket of one client."""
        if self.deaf:
            return cut(request)
        try:
            person = self.connect(request.query["access_token"])
        except TwirpError:
            raise web.HTTPUnauthorized from None
        room = self.claims(request.query["access_token"])["video"]["room"]
        socket = web.WebSocketResponse()
        await socket.prepare(request)

        async def send(answer: SignalResponse) -> None:
            await socket.send_bytes(answer.SerializeToString())

        self.lines[person.identity] = send
        await send(SignalResponse(join=self._joined(room, person)))
        await self._answer(send, person, joining(request.query["join_request"]).publisher_offer)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await self._heard(send, person, SignalRequest.FromString(message.data))
        return socket

    async def validate(self, request: web.Request) -> web.StreamResponse:
        """Where a client whose websocket failed asks why."""
        return cut(request) if self.deaf else web.Response(text="success")

    async def speaks(self, who: ParticipantInfo, active: bool) -> None:
        """Everybody is told that somebody speaks, or no more."""
        told = SpeakersChanged(speakers=[SpeakerInfo(sid=who.sid, level=1.0 if active else 0.0, active=active)])
        for send in self.lines.values():
            await send(SignalResponse(speakers_changed=told))

    async def bytes_of(self, who: ParticipantInfo) -> int:
        """How much was heard of somebody."""
        assert self.media is not None
        heard: int = await self.media.evaluate("(who) => bytes(who)", who.identity)
        return heard

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """As before; and whom it concerns is told by their line."""
        before = {identity: person for inside in self.people.values() for identity, person in inside.items()}
        answered = await super().answer(request)
        after = {identity: person for inside in self.people.values() for identity, person in inside.items()}
        for identity, send in list(self.lines.items()):
            if request.match_info["method"] == "UpdateParticipant" and identity in after:
                await send(SignalResponse(update=ParticipantUpdate(participants=[after[identity]])))
            elif identity in before and identity not in after:
                del self.lines[identity]
                await send(SignalResponse(leave=LeaveRequest(reason=DisconnectReason.PARTICIPANT_REMOVED)))
        return answered

    def _joined(self, room: str, person: ParticipantInfo) -> JoinResponse:
        others = [other for other in self.people[room].values() if other.identity != person.identity]
        return JoinResponse(
            room=Room(name=room, sid=f"RM_{room}"),
            participant=person,
            other_participants=others,
            server_info=ServerInfo(version=VERSION, protocol=16),
            ping_interval=5,
            ping_timeout=15,
        )

    async def _heard(self, send: Send, person: ParticipantInfo, said: SignalRequest) -> None:
        assert self.media is not None
        match said.WhichOneof("message"):
            case "offer":
                await self._answer(send, person, said.offer)
            case "trickle" if said.trickle.candidateInit:
                init = json.loads(said.trickle.candidateInit)
                await self.media.evaluate("(given) => candidate(given)", [person.identity, init])
            case "add_track":
                await send(SignalResponse(track_published=self._published(person, said.add_track)))
            case "mute":
                self.tracks[person.identity].muted = said.mute.muted
            case "ping_req":
                pong = Pong(last_ping_timestamp=said.ping_req.timestamp)
                await send(SignalResponse(pong_resp=pong))
            case "leave":
                self.lines.pop(person.identity, None)
                for inside in self.people.values():
                    inside.pop(person.identity, None)

    async def _answer(self, send: Send, person: ParticipantInfo, offer: SessionDescription) -> None:
        assert self.media is not None
        sdp: str = await self.media.evaluate("(given) => answer(given)", [person.identity, offer.sdp])
        await send(SignalResponse(answer=SessionDescription(type="answer", sdp=sdp, id=offer.id)))

    def _published(self, person: ParticipantInfo, wanted: AddTrackRequest) -> TrackPublishedResponse:
        track = TrackInfo(sid=f"TR_{person.sid}", name=wanted.name, type=wanted.type, source=wanted.source)
        self.tracks[person.identity] = track
        person.tracks.append(track)
        return TrackPublishedResponse(cid=wanted.cid, track=track)


def cut(request: web.Request) -> web.Response:
    """Ends the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def joining(given: str) -> JoinRequest:
    """What came with the address of the websocket."""
    wrapped = WrappedJoinRequest.FromString(base64.urlsafe_b64decode(given))
    gzipped = wrapped.compression == WrappedJoinRequest.GZIP
    return JoinRequest.FromString(gzip.decompress(wrapped.join_request) if gzipped else wrapped.join_request)
