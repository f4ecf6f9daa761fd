/** The control socket: asks for the time, sends commands, hears the room's transport. Comes back by itself. */

import { BURST, BURST_INTERVAL_MS, Clock, INTERVAL_MS, sample, type Report } from "./clock.ts";
import { timeOf, type Followed, type Time, type Transport } from "./state.ts";
import type { TempoPoint } from "../client/tempo.ts";
import { ending, pause } from "../client/closing.ts";

export interface Command {
  readonly t: "play" | "stop" | "seek" | "loop" | "rate";
  readonly pos?: number;
  readonly count_in?: number;
  readonly rate?: number;
  readonly on?: boolean;
  readonly start?: number;
  readonly end?: number;
}

export interface Answer { readonly t: "ack" | "nack"; readonly id: string; readonly code?: string }

type Told =
  | { readonly t: "hello" | "role"; readonly role: string; readonly may: boolean; readonly boot?: string }
  | { readonly t: "voice"; readonly users: readonly string[] }
  | { readonly t: "pong"; readonly c: number; readonly r: number; readonly s: number; readonly boot: string }
  | { readonly t: "tempo"; readonly points: readonly TempoPoint[]; readonly signatures: readonly (readonly [number, number, number])[] }
  | ({ readonly t: "transport" } & Transport)
  | Answer;

export interface ControlOptions {
  /** Where to connect, with a fresh ticket. */
  readonly url: () => Promise<string>;
  /** A command came too late: the right to command the room had just been taken away. */
  readonly refused?: () => void;
  readonly now?: () => number;
}

/** A timer that fires so much too late has slept. */
const ASLEEP_MS = 15_000;
const ANSWER_MS = 10_000;

/** The address of the control socket beside a document's. */
export const controlUrl = (documentUrl: string, ticket: string): string => `${documentUrl.replace(/\/y\/([^/]*)$/, "/ctl/$1")}?token=${encodeURIComponent(ticket)}`;

export class Control {
  readonly clock = new Clock();
  readonly #options: ControlOptions;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  #socket: WebSocket | null = null;
  #room: Followed | null = null;
  #time: Time | null = null;
  #voice: readonly string[] | null = null;
  #may = false;
  #boot = "";
  #follows = false;
  #attempts = 0;
  #sent = 0;
  #burst = 0;
  #pingedAt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #closed = false;
  readonly #woken = (): void => {
    if (document.visibilityState === "visible") this.#wake();
  };

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    globalThis.document?.addEventListener("visibilitychange", this.#woken);
    void this.#connect();
  }

  /** The room's transport as last told; null before the first word. */
  get room(): Followed | null {
    return this.#room;
  }

  /** User ids in the voice room, a new list whenever anything there changed; null while nobody tells. */
  get voice(): readonly string[] | null {
    return this.#voice;
  }

  /** Whether this person may command the room. */
  get may(): boolean {
    return this.#may;
  }

  get connected(): boolean {
    return this.#socket?.readyState === 1;
  }

  /** The server's time, ms. */
  now(): number {
    return this.clock.now(this.#now());
  }

  report(): Report {
    return this.clock.report(this.#now());
  }

  /** Sends a command meant for the room as it is seen here; resolves with the server's word, or null without one. */
  command(command: Command): Promise<Answer | null> {
    const state = this.#room?.state;
    if (!this.connected || state === undefined) return Promise.resolve(null);
    const id = crypto.randomUUID();
    this.#send({ ...command, id, epoch: state.epoch, if_seq: state.seq });
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#settle(id, null, resolve), ANSWER_MS);
      this.#waiting.set(id, (answer) => {
        clearTimeout(late);
        this.#settle(id, answer, resolve);
      });
    });
  }

  /** Whether this page plays with the room: its round trip then counts for how far ahead starts are set. */
  follow(room: boolean): void {
    this.#follows = room;
    this.#send({ t: "follow", room });
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  close(): void {
    this.#closed = true;
    globalThis.document?.removeEventListener("visibilitychange", this.#woken);
    for (const timer of [this.#timer, this.#retry]) if (timer !== null) clearTimeout(timer);
    this.#socket?.close();
  }

  async #connect(): Promise<void> {
    if (this.#closed) return;
    const url = await this.#options.url().catch(() => null);
    if (this.#closed) return;
    if (url === null) return this.#again();
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => {
      this.follow(this.#follows);
      this.#wake();
    };
    socket.onmessage = (event: MessageEvent) => this.#heard(JSON.parse(String(event.data)) as Told);
    socket.onclose = (event: CloseEvent) => {
      this.#voice = null;
      this.#tell();
      const end = ending(event.code);
      if (end.kind === "retry" || end.kind === "ticket" || end.kind === "epoch") this.#again(end.kind === "retry" && end.slow);
    };
  }

  #again(slow = false): void {
    const wait = pause(this.#attempts, slow, Math.random());
    this.#attempts += 1;
    if (!this.#closed) this.#retry = setTimeout(() => void this.#connect(), wait);
  }

  /** After connecting, sleeping or coming to the front: what was known of the clock is measured anew. */
  #wake(): void {
    if (!this.connected) return;
    this.clock.restart();
    this.#burst = BURST;
    this.#ping();
  }

  #ping(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.connected) return;
    const now = this.#now();
    const slept = this.#burst === 0 && this.#pingedAt > 0 && now - this.#pingedAt > INTERVAL_MS + ASLEEP_MS;
    this.#pingedAt = now;
    if (slept) return this.#wake();
    const { bound } = this.clock.report(now);
    this.#send({ t: "ping", n: (this.#sent += 1), c: this.#now(), ...(Number.isFinite(bound) ? { rtt: bound * 2 } : {}) });
    this.#burst = Math.max(0, this.#burst - 1);
    this.#timer = setTimeout(() => this.#ping(), this.#burst > 0 ? BURST_INTERVAL_MS : INTERVAL_MS);
  }

  #heard(told: Told): void {
    const arrived = this.#now();
    switch (told.t) {
      case "pong":
        if (this.#boot !== told.boot) this.#boot = told.boot;
        if (this.clock.hear(sample(told.c, told.r, told.s, arrived)) !== 0) this.#tell();
        return;
      case "hello":
      case "role":
        this.#attempts = 0;
        this.#may = told.may;
        return this.#tell();
      case "voice":
        this.#voice = told.users;
        return this.#tell();
      case "tempo":
        this.#time = timeOf(told.points, told.signatures);
        return;
      case "transport":
        return this.#state(told);
      default:
        if (told.code === "forbidden") this.#options.refused?.();
        this.#waiting.get(told.id)?.(told);
    }
  }

  #state({ t: _t, ...state }: { readonly t: "transport" } & Transport): void {
    if (this.#time === null) return;
    const known = this.#room;
    if (known !== null && known.state.epoch === state.epoch && known.state.seq >= state.seq) return;
    const before = known !== null && known.state.epoch === state.epoch ? { state: known.state, time: known.time } : null;
    this.#room = { state, time: this.#time, before };
    this.#tell();
  }

  #settle(id: string, answer: Answer | null, resolve: (answer: Answer | null) => void): void {
    this.#waiting.delete(id);
    resolve(answer);
  }

  #send(message: object): void {
    if (this.connected) this.#socket?.send(JSON.stringify(message));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
