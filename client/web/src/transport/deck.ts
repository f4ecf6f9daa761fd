/**
 * What plays on this page: its own transport, the room's, or another person's.
 *
 * Own buttons command the room while one plays with it and may. Whoever follows a person, or the room without the right
 * to command it, leaves by using them; nobody else hears of that.
 */

import type { Control } from "./control.ts";
import { holding, modeAt, position, positionOf, type Followed, type Time, type Transport } from "./state.ts";

export type Following = "local" | "room" | `user:${string}`;

/** Where a page shows its own transport to those who follow its person, and finds theirs. Times are the server's. */
export interface Stage {
  show(state: Transport | null): void;
  shown(user: string): Transport | null;
  subscribe(listener: () => void): () => void;
}

export interface DeckOptions {
  readonly control: Control;
  readonly stage: Stage;
  /** The document's own tempo, signatures and loop as they are now. */
  readonly time: () => Time;
  readonly loop: () => readonly [number, number, number];
  readonly now?: () => number;
}

/** From the press to the first sound of a transport that nobody else waits for. */
const LEAD_MS = 60;

export class Deck {
  readonly control: Control;
  readonly #options: DeckOptions;
  readonly #local: () => number;
  readonly #listeners = new Set<() => void>();
  readonly #stops: (() => void)[];
  #following: Following = "local";
  /** In this page's own time: it plays without any server. */
  #own: Followed;
  #led: Followed | null = null;
  /** Bars. */
  countIn = 0;

  constructor(options: DeckOptions) {
    this.#options = options;
    this.control = options.control;
    this.#local = options.now ?? (() => performance.now());
    const time = options.time();
    const state: Transport = { epoch: "local", seq: 0, mode: "stopped", t0: this.#local(), pos0: 0, rate: 1, loop: options.loop(), tempo_rev: time.rev, count_in_ms: 0, by: null, cause: "restart" };
    this.#own = { state, time, before: null };
    this.#stops = [options.control.subscribe(() => this.#tell()), options.stage.subscribe(() => this.#look())];
  }

  get following(): Following {
    return this.#following;
  }

  /** What is played here; null while the room has not been heard of. Its times are those of `now`. */
  get followed(): Followed | null {
    if (this.#following === "local") return this.#own;
    return this.#following === "room" ? this.control.room : this.#led;
  }

  now(): number {
    return this.#following === "local" ? this.#local() : this.control.now();
  }

  /** The page's own time (performance.now()) of a moment of `followed`. */
  toLocal(at: number): number {
    return this.#following === "local" ? at : this.control.clock.local(at, this.#local());
  }

  get position(): number {
    return this.followed === null ? 0 : positionOf(this.followed, this.now());
  }

  /** Whether it plays, or is about to. */
  get plays(): boolean {
    return this.followed !== null && this.followed.state.mode !== "stopped";
  }

  get countsIn(): boolean {
    const followed = this.followed;
    return followed !== null && modeAt(holding(followed, this.now()).state, this.now()) === "counting_in";
  }

  /** Whether the buttons are the room's. */
  get commands(): boolean {
    return this.#following === "room" && this.control.may;
  }

  follow(following: Following): void {
    this.#following = following;
    this.#led = null;
    this.control.follow(following === "room");
    this.#look();
  }

  /** By the space bar: what is meant depends on what is seen, and a room that is elsewhere by now ignores it. */
  toggle(): void {
    if (this.plays) this.stop();
    else this.play();
  }

  play(pos?: number): void {
    const where = pos === undefined ? {} : { pos };
    if (this.commands) return void this.control.command({ t: "play", ...where, count_in: this.countIn });
    this.#leave();
    const { state, time } = this.#own;
    const at = pos ?? position(state, time.tempo, this.#local());
    const wait = (this.countIn * time.meter.barTicksAt(at) * 60_000) / 960 / time.tempo.bpmAt(at);
    this.#set({ mode: wait > 0 ? "counting_in" : "playing", t0: this.#local() + LEAD_MS + wait, pos0: at, count_in_ms: wait, cause: "play" });
  }

  stop(): void {
    if (this.commands) return void this.control.command({ t: "stop" });
    this.#leave();
    const { state, time } = this.#own;
    this.#set({ mode: "stopped", t0: this.#local(), pos0: position(state, time.tempo, this.#local()), count_in_ms: 0, cause: "stop" });
  }

  seek(pos: number): void {
    if (this.commands) return void this.control.command({ t: "seek", pos });
    this.#leave();
    this.#set({ pos0: pos, t0: Math.max(this.#own.state.t0, this.#local()), cause: "seek" });
  }

  /** Tempo, signatures or loop of the document were edited: one's own transport goes on from where it is. */
  edited(): void {
    const { state, time } = this.#own;
    const [fresh, loop] = [this.#options.time(), this.#options.loop()];
    if (fresh.rev === time.rev && loop.every((part, at) => part === state.loop[at])) return;
    const now = this.#local();
    const seq = state.seq === 0 ? 0 : state.seq + 1;
    const anchor = modeAt(state, now) === "playing" && now > state.t0 ? { mode: "playing" as const, t0: now, pos0: position(state, time.tempo, now) } : {};
    this.#own = { state: { ...state, ...anchor, seq, loop, tempo_rev: fresh.rev }, time: fresh, before: null };
    this.#look();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  close(): void {
    for (const stop of this.#stops) stop();
    this.control.close();
  }

  /** On with what was followed as one's own, from where it is. */
  #leave(): void {
    const followed = this.followed;
    if (this.#following === "local") return;
    if (followed !== null) this.#own = this.#adopted(followed);
    this.follow("local");
  }

  #adopted(followed: Followed): Followed {
    const { state } = holding(followed, this.control.now());
    return { state: { ...state, epoch: "local", t0: this.toLocal(state.t0) }, time: followed.time, before: null };
  }

  #set(changes: Partial<Transport>): void {
    const { state, time } = this.#own;
    this.#own = { state: { ...state, ...changes, seq: state.seq + 1 }, time, before: null };
    this.#show();
    this.#tell();
  }

  #show(): void {
    const { state } = this.#own;
    const visible = this.#following === "local" && state.seq > 0 && this.control.clock.known;
    this.#options.stage.show(visible ? { ...state, t0: this.control.clock.now(this.#local()) + state.t0 - this.#local() } : null);
  }

  /** Whom we follow may have gone on, or gone: then what sounds goes on sounding. */
  #look(): void {
    if (this.#following !== "local" && this.#following !== "room") {
      const state = this.#options.stage.shown(this.#following.slice("user:".length));
      if (state !== null) {
        const same = this.#led !== null && this.#led.state.seq === state.seq && this.#led.state.t0 === state.t0;
        this.#led = same ? this.#led : { state, time: this.#options.time(), before: null };
      } else if (this.#led !== null) this.#orphaned(this.#led);
    }
    this.#show();
    this.#tell();
  }

  #orphaned(led: Followed): void {
    const room = this.control.room;
    if (room !== null && room.state.mode !== "stopped") {
      this.#following = "room";
      this.control.follow(true);
    } else {
      this.#own = this.#adopted(led);
      this.#following = "local";
    }
    this.#led = null;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
