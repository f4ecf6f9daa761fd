/** A metronome on the shared clock: every click is put on the audio clock ahead of time, so that timers need not be exact. */

import { Memory } from "../client/memory.ts";
import { AudioTime } from "./audio.ts";
import { clicks, type Click } from "./clicks.ts";
import type { Deck } from "./deck.ts";

const TICK_MS = 25;
const AHEAD_MS = 300;
/** In the background timers fire once a second. */
const AHEAD_HIDDEN_MS = 1_600;
const CLICK_SECONDS = 0.03;
const HERTZ = { plain: 1_000, accent: 1_500 } as const;
const LOUDNESS = { plain: 0.5, accent: 0.8 } as const;
const NUDGE_KEY = "backline.nudge_ms";
export const NUDGE_MAX_MS = 500;

interface Due { readonly node: AudioBufferSourceNode; readonly at: number }

export class Metronome {
  readonly #deck: Deck;
  readonly #memory = new Memory();
  readonly #stop: () => void;
  #context: AudioContext | null = null;
  #time: AudioTime | null = null;
  #sounds: { readonly plain: AudioBuffer; readonly accent: AudioBuffer } | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #until = -Infinity;
  #due: Due[] = [];
  #nudge: number;

  constructor(deck: Deck) {
    this.#deck = deck;
    this.#nudge = within(Number(this.#memory.get(NUDGE_KEY) ?? 0));
    this.#stop = deck.subscribe(() => this.#anew());
  }

  get on(): boolean {
    return this.#timer !== null;
  }

  /** What this device adds that no browser tells, such as wireless headphones: ms that clicks are put later, kept on the device. */
  get nudge(): number {
    return this.#nudge;
  }

  set nudge(ms: number) {
    this.#nudge = within(ms);
    this.#memory.set(NUDGE_KEY, String(this.#nudge));
    this.#anew();
  }

  /** Asked for by a press of a key or a button: browsers allow no sound before one. */
  async start(): Promise<void> {
    this.#context ??= new AudioContext({ latencyHint: "interactive" });
    this.#time ??= new AudioTime(this.#context);
    this.#sounds ??= { plain: beep(this.#context, "plain"), accent: beep(this.#context, "accent") };
    this.#timer ??= setInterval(() => this.#schedule(), TICK_MS);
    await this.#context.resume();
  }

  silence(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#cancel();
  }

  close(): void {
    this.#stop();
    this.silence();
    void this.#context?.close();
  }

  /** What plays is another thing now: what was put ahead is taken back. */
  #anew(): void {
    this.#cancel();
    if (this.on) this.#schedule();
  }

  #schedule(): void {
    const [context, time] = [this.#context, this.#time];
    if (context === null || time === null) return;
    time.look();
    const followed = this.#deck.followed;
    if (followed === null || !time.known) return;
    const now = this.#deck.now();
    const from = Math.max(now, this.#until);
    this.#until = Math.max(from, now + (document.visibilityState === "visible" ? AHEAD_MS : AHEAD_HIDDEN_MS) + Math.max(0, -this.#nudge));
    this.#due = this.#due.filter(({ at }) => at > context.currentTime);
    for (const click of clicks(followed, from, this.#until)) this.#put(click, context, time);
  }

  #put(click: Click, context: AudioContext, time: AudioTime): void {
    const at = time.at(this.#deck.toLocal(click.at) + this.#nudge);
    if (at <= context.currentTime) return;
    const node = context.createBufferSource();
    node.buffer = this.#sounds?.[click.accent ? "accent" : "plain"] ?? null;
    node.connect(context.destination);
    node.start(at);
    this.#due.push({ node, at });
  }

  #cancel(): void {
    const now = this.#context?.currentTime ?? 0;
    for (const { node, at } of this.#due) if (at > now) node.stop();
    this.#due = [];
    this.#until = -Infinity;
  }
}

function beep(context: AudioContext, kind: "plain" | "accent"): AudioBuffer {
  const buffer = context.createBuffer(1, Math.round(CLICK_SECONDS * context.sampleRate), context.sampleRate);
  const samples = buffer.getChannelData(0);
  for (let index = 0; index < samples.length; index += 1) {
    const second = index / context.sampleRate;
    samples[index] = LOUDNESS[kind] * Math.cos(2 * Math.PI * HERTZ[kind] * second) * Math.exp((-6 * second) / CLICK_SECONDS);
  }
  return buffer;
}

const within = (ms: number): number => (Number.isFinite(ms) ? Math.round(Math.max(-NUDGE_MAX_MS, Math.min(NUDGE_MAX_MS, ms))) : 0);
