/**
 * One's own part in the voice room: in or out, heard or not, who is speaking.
 *
 * The line to the voice server is made, and its library loaded, only when somebody joins; the microphone is asked for
 * only once the server has let them in and their token lets them speak.
 */

import type { VoiceToken } from "../client/api.ts";
import { endingWords, joiningWords, microphoneWords, type Ending } from "./words.ts";

/** "returning": the line broke, and mends itself. */
export type Phase = "out" | "joining" | "in" | "returning";

export interface CallState {
  readonly phase: Phase;
  /** Whether the token lets this person be heard: the owner may take it away and give it back. */
  readonly speak: boolean;
  readonly muted: boolean;
  /** The browser plays nothing before the next click. */
  readonly hushed: boolean;
  /** User ids. */
  readonly speaking: ReadonlySet<string>;
  readonly trouble: string | null;
}

/** A connection to a voice server. */
export interface Line {
  readonly speak: boolean;
  /** Rejects with what the browser said. */
  microphone(on: boolean): Promise<void>;
  /** By a click: what the browser held back is heard from now on. */
  play(): Promise<void>;
  close(): Promise<void>;
}

/** What a line tells. */
export interface Ears {
  speaking(users: ReadonlySet<string>): void;
  allowed(speak: boolean): void;
  muted(muted: boolean): void;
  hushed(hushed: boolean): void;
  broken(broken: boolean): void;
  ended(ending: Ending): void;
}

/** Rejects with NoLine. */
export type Connect = (token: VoiceToken, ears: Ears) => Promise<Line>;

export interface CallOptions {
  /** A token from our own server. */
  readonly enter: () => Promise<VoiceToken>;
  readonly connect: Connect;
}

const OUT: CallState = { phase: "out", speak: false, muted: true, hushed: false, speaking: new Set(), trouble: null };

export class Call {
  readonly #options: CallOptions;
  readonly #listeners = new Set<() => void>();
  #state = OUT;
  #line: Line | null = null;
  /** Joining and leaving: what belongs to an earlier turn is not believed any more. */
  #turn = 0;

  constructor(options: CallOptions) {
    this.#options = options;
  }

  get state(): CallState {
    return this.#state;
  }

  async join(): Promise<void> {
    if (this.#state.phase !== "out") return;
    const turn = (this.#turn += 1);
    this.#set({ ...OUT, phase: "joining" });
    try {
      const token = await this.#options.enter();
      if (turn !== this.#turn) return;
      const line = await this.#options.connect(token, this.#ears(turn));
      if (turn !== this.#turn) return void (await line.close());
      this.#line = line;
      this.#set({ phase: "in", speak: line.speak });
    } catch (error) {
      if (turn === this.#turn) this.#end(joiningWords(error));
      return;
    }
    if (this.#line.speak) await this.unmute();
  }

  async leave(): Promise<void> {
    const line = this.#line;
    this.#end(null);
    await line?.close();
  }

  unmute = (): Promise<void> => this.#microphone(true);
  mute = (): Promise<void> => this.#microphone(false);

  async play(): Promise<void> {
    await this.#line?.play().catch(() => undefined);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async #microphone(on: boolean): Promise<void> {
    const [line, turn] = [this.#line, this.#turn];
    if (line === null) return;
    try {
      await line.microphone(on);
      if (turn === this.#turn) this.#set({ muted: !on, trouble: null });
    } catch (error) {
      if (turn === this.#turn) this.#set({ muted: true, trouble: microphoneWords(error) });
    }
  }

  #ears(turn: number): Ears {
    const set = (changes: Partial<CallState>): void => {
      if (turn === this.#turn) this.#set(changes);
    };
    return {
      speaking: (speaking) => set({ speaking }),
      allowed: (speak) => set({ speak }),
      muted: (muted) => set({ muted }),
      hushed: (hushed) => set({ hushed }),
      broken: (broken) => set({ phase: broken ? "returning" : "in" }),
      ended: (ending) => {
        if (turn === this.#turn) this.#end(endingWords(ending));
      },
    };
  }

  #end(trouble: string | null): void {
    this.#turn += 1;
    this.#line = null;
    this.#set({ ...OUT, trouble });
  }

  #set(changes: Partial<CallState>): void {
    this.#state = { ...this.#state, ...changes };
    for (const listener of this.#listeners) listener();
  }
}
