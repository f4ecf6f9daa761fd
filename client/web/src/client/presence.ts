/** Who is here and what they do, in musical coordinates; at most 20 times a second. */

import type { Awareness } from "y-protocols/awareness";
import type { Person, Role } from "./api.ts";

export type Context = "timeline" | "mixer" | "notes" | `clip:${string}` | `lane:${string}`;
export interface Cursor { readonly ctx: Context; readonly tick: number; readonly track: string | null; readonly y: number }
/** An uncommitted gesture: the values its keys would get on release. */
export interface Drag { readonly id: string; readonly keys: { readonly [key: string]: number | string } }

export interface Mine {
  cursor: Cursor | null;
  sel: readonly string[];
  view: readonly [number, number] | null;
  drag: Drag | null;
  solo: readonly string[];
  away: boolean;
  /** What this page plays by itself, for those who follow its person; null while it plays nothing or with the room. */
  transport: { readonly [key: string]: unknown } | null;
}

export interface Peer extends Partial<Mine> { readonly client: number; readonly user: Person & { readonly role?: Role } }

const INTERVAL_MS = 50;
const SELECTION_MAX = 64;
const NOTHING: Mine = { cursor: null, sel: [], view: null, drag: null, solo: [], away: false, transport: null };

function peer(client: number, state: { readonly [key: string]: unknown }): Peer[] {
  const user = state["user"];
  if (typeof user !== "object" || user === null || !("id" in user) || !("name" in user)) return [];
  return [{ ...(state as unknown as Partial<Mine>), client, user: user as Peer["user"] }];
}

export class Presence {
  readonly #awareness: Awareness;
  readonly #user: Person;
  #mine: Mine = NOTHING;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #sentAt = 0;
  readonly #listeners = new Set<() => void>();
  readonly #relay = (): void => {
    for (const listener of this.#listeners) listener();
  };

  constructor(awareness: Awareness, user: Person) {
    this.#awareness = awareness;
    this.#user = user;
    awareness.on("change", this.#relay);
    this.#send();
  }

  get mine(): Mine {
    return this.#mine;
  }

  /** Everybody else, one entry per open page. */
  others(): Peer[] {
    return [...this.#awareness.getStates()]
      .filter(([client]) => client !== this.#awareness.clientID)
      .sort(([a], [b]) => a - b)
      .flatMap(([client, state]) => peer(client, state as { [key: string]: unknown }));
  }

  set(changes: Partial<Mine>): void {
    const sel = changes.sel?.slice(0, SELECTION_MAX);
    this.#mine = { ...this.#mine, ...changes, ...(sel === undefined ? {} : { sel }) };
    if ("solo" in changes) this.#relay();
    const wait = this.#sentAt + INTERVAL_MS - Date.now();
    if (wait <= 0) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), wait);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#awareness.off("change", this.#relay);
    this.#awareness.setLocalState(null);
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sentAt = Date.now();
    const { id, name, color } = this.#user;
    this.#awareness.setLocalState({ user: { id, name, color }, ...this.#mine });
  }
}
