/**
 * The honest light. The server sends an author's own update back, byte for byte, only after it is committed;
 * what was sent and has not come back is not saved. Acknowledgements come in the order of sending.
 */

import { isEmptyUpdate, sameBytes } from "./frames.ts";

export type Light = "saved" | "saving" | "offline";

export class Saved {
  #awaiting: Uint8Array[] = [];
  #connected = false;
  /** The server asked for what it lacks and was answered: from here on everything unsaved stands in the queue. */
  #answered = false;
  #unsent = false;
  readonly #listeners = new Set<() => void>();

  get light(): Light {
    if (!this.#connected) return "offline";
    return this.#answered && this.#awaiting.length === 0 ? "saved" : "saving";
  }

  /** Whether this session made edits that no commit has confirmed. */
  get unsaved(): boolean {
    return this.#unsent || this.#awaiting.length > 0;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  opened(): void {
    this.#connected = true;
    this.#answered = false;
    this.#tell();
  }

  closed(): void {
    this.#unsent = this.unsaved;
    this.#awaiting = [];
    this.#connected = false;
    this.#answered = false;
    this.#tell();
  }

  /** An own edit was made; without a connection nobody will send it until the next one. */
  edited(): void {
    if (this.#connected) return;
    this.#unsent = true;
    this.#tell();
  }

  /** A Step2 left: it holds everything the server lacked at that moment. */
  sentStep2(update: Uint8Array): void {
    this.#answered = true;
    this.#unsent = false;
    this.#await(update);
  }

  sentUpdate(update: Uint8Array): void {
    this.#await(update);
  }

  /** An update arrived; true when it was the acknowledgement of an own one. */
  received(update: Uint8Array): boolean {
    const at = this.#awaiting.findIndex((own) => sameBytes(own, update));
    if (at < 0) return false;
    this.#awaiting.splice(0, at + 1);
    this.#tell();
    return true;
  }

  #await(update: Uint8Array): void {
    if (!isEmptyUpdate(update)) this.#awaiting.push(update);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
