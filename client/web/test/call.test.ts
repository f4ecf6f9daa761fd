/** One's own part in the voice room: what is asked for when, and what is said when it does not work. */

import assert from "node:assert/strict";
import test from "node:test";
import type { VoiceToken } from "../src/client/api.ts";
import { Call, type Ears, type Line } from "../src/voice/call.ts";
import { NoLine } from "../src/voice/words.ts";

const token: VoiceToken = { provider: "livekit", url: "wss://voice.test", token: "t", room: "b-1", expires_at: "" };

interface Rig { readonly call: Call; readonly did: string[]; ears: Ears | null; let: (() => void) | null }

interface Server { readonly speak?: boolean; readonly microphone?: Error; readonly connect?: Error; readonly enter?: Error; readonly slow?: boolean }

/** A call whose voice server does as it is told; `did` says what was asked of it. */
function rig(server: Server = {}): Rig {
  const did: string[] = [];
  const rigged: { ears: Ears | null; let: (() => void) | null } = { ears: null, let: null };
  const line: Line = {
    speak: server.speak ?? true,
    microphone: async (on) => {
      did.push(on ? "on" : "off");
      if (on && server.microphone) throw server.microphone;
    },
    play: async () => void did.push("play"),
    close: async () => void did.push("close"),
  };
  const call = new Call({
    enter: async () => {
      did.push("enter");
      if (server.enter) throw server.enter;
      return token;
    },
    connect: async (given, ears) => {
      did.push(`connect ${given.url}`);
      rigged.ears = ears;
      if (server.slow) await new Promise<void>((resolve) => (rigged.let = resolve));
      if (server.connect) throw server.connect;
      return line;
    },
  });
  return Object.assign(rigged, { call, did });
}

test("a page that opens asks for nothing", () => {
  const { call, did } = rig();
  assert.deepEqual([call.state.phase, call.state.muted, did], ["out", true, []]);
});

test("whoever joins is let in first and asked for the microphone then", async () => {
  const { call, did } = rig();
  const phases: string[] = [];
  call.subscribe(() => phases.push(`${call.state.phase}${call.state.muted ? "" : " heard"}`));
  await call.join();
  assert.deepEqual(did, ["enter", "connect wss://voice.test", "on"]);
  assert.deepEqual(phases, ["joining", "in", "in heard"]);
  await call.mute();
  await call.unmute();
  await call.leave();
  assert.deepEqual(did.slice(3), ["off", "on", "close"]);
  assert.deepEqual([call.state.phase, call.state.trouble], ["out", null]);
});

test("whom the token lets listen only is not asked for the microphone", async () => {
  const { call, did } = rig({ speak: false });
  await call.join();
  assert.deepEqual([call.state.phase, call.state.speak, did.includes("on")], ["in", false, false]);
});

test("a second press joins once", async () => {
  const { call, did } = rig();
  await Promise.all([call.join(), call.join()]);
  await call.join();
  assert.equal(did.filter((what) => what === "enter").length, 1);
});

for (const [name, words] of [["NotAllowedError", /told not to use the microphone/], ["NotFoundError", /no microphone/], ["NotReadableError", /another program/], ["SecurityError", /https/], ["OddError", /could not be sent/]] as const) {
  test(`a microphone that fails by ${name} leaves one listening, and says so`, async () => {
    const { call } = rig({ microphone: new DOMException("x", name) });
    await call.join();
    assert.deepEqual([call.state.phase, call.state.muted], ["in", true]);
    assert.match(call.state.trouble ?? "", words);
    assert.match(call.state.trouble ?? "", /You hear the others/);
  });
}

test("a voice server that is away, and our own server's word, are told as they are", async () => {
  for (const [server, words] of [[{ connect: new NoLine("unreachable") }, /cannot be reached/], [{ connect: new NoLine("silent") }, /no sound gets through/], [{ enter: new Error("The owner has removed you.") }, /The owner has removed you\./]] as const) {
    const { call } = rig(server);
    await call.join();
    assert.equal(call.state.phase, "out");
    assert.match(call.state.trouble ?? "", words);
    await call.join();
    assert.match(call.state.trouble ?? "", words, "one may try again");
  }
});

test("whoever leaves while joining is out, and the line that comes later is closed unheard", async () => {
  const rigged = rig({ slow: true });
  const joining = rigged.call.join();
  while (rigged.let === null) await new Promise(setImmediate);
  await rigged.call.leave();
  rigged.ears?.speaking(new Set(["ada"]));
  rigged.let();
  await joining;
  assert.deepEqual(rigged.did, ["enter", "connect wss://voice.test", "close"]);
  assert.deepEqual([rigged.call.state.phase, rigged.call.state.speaking.size], ["out", 0]);
});

test("what the line tells is shown, and its end is told with its reason", async () => {
  const rigged = rig();
  const { call } = rigged;
  await call.join();
  rigged.ears?.speaking(new Set(["ada"]));
  rigged.ears?.broken(true);
  rigged.ears?.allowed(false);
  rigged.ears?.muted(true);
  assert.deepEqual([call.state.phase, call.state.speak, call.state.muted, [...call.state.speaking]], ["returning", false, true, ["ada"]]);
  rigged.ears?.broken(false);
  rigged.ears?.ended("removed");
  assert.deepEqual([call.state.phase, call.state.speaking.size, call.state.trouble], ["out", 0, "You were removed from the voice room."]);
  await call.join();
  assert.deepEqual([call.state.phase, call.state.trouble], ["in", null]);
});
