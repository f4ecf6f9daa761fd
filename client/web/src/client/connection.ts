/** Keeps one document connected: a fresh ticket before every attempt, an end when the server says so. */

import type { Awareness } from "y-protocols/awareness";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { ApiError, mayEdit, type Restriction, type Role, type Ticket } from "./api.ts";
import { REFUSED, ending, pause } from "./closing.ts";
import type { Frame } from "./frames.ts";
import { Reunion, type Merged } from "./merged.ts";
import type { Saved } from "./saved.ts";
import { tapped } from "./socket.ts";

export interface ConnectionEvents {
  /** The server's word on what this person may do now; `restriction` is an editor's. */
  readonly role: (role: Role, restriction: Restriction | null) => void;
  /** An update was refused: what is here and not there is a draft. */
  readonly denied: (reason: string) => void;
  /** The server's document is another; `mine`: this device may hold work of one's own that nobody else has. */
  readonly epochChanged: (mine: boolean) => void;
  /** The server will never take what this document holds: it is to be put aside, and the project opened anew. */
  readonly refused: (sentence: string) => void;
  /** There is no place now; the connection goes on trying. */
  readonly waiting: (sentence: string) => void;
  /** Offline work has come home. */
  readonly merged: (merged: Merged) => void;
  /** For good; the sentence is for people. */
  readonly over: (sentence: string) => void;
}

export interface ConnectionOptions {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly saved: Saved;
  readonly epoch: number;
  readonly fetchTicket: () => Promise<Ticket>;
  readonly on: ConnectionEvents;
}

/** What the server stamps into one's own presence; `part` is another when the chosen tracks are. */
interface Stamp { readonly role?: Role; readonly only?: Restriction["only"]; readonly part?: string }

const STALE_TICKETS_MAX = 2;
/** A connection that lasted so long was a good one: the next break begins with a short pause again. */
const GOOD_MS = 10_000;

/** Whose deletions a reader has sent. */
export type Offer = "nothing" | "own" | "others'";

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #reunion: Reunion;
  #provider: WebsocketProvider | null = null;
  #role: Role | null = null;
  #restriction: Restriction | null = null;
  /** The last mark of chosen tracks that the server told. */
  #part: string | undefined;
  #asking = false;
  #attempts = 0;
  #settledAt = Infinity;
  /** The server ended it with 4403: if the API still gives a ticket, what we hold was the reason. */
  #doubt: string | null = null;
  /** What was here at the opening was laid beside what the server has. */
  #compared = false;
  #offered: Offer = "nothing";
  #staleTickets = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;
  readonly #again = (): void => this.#wait(0);

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#reunion = new Reunion(options.doc, options.on.merged);
    globalThis.addEventListener?.("online", this.#again);
    void this.#attempt();
  }

  /** The role the last ticket or the server's stamp named. */
  get role(): Role {
    return this.#role ?? "viewer";
  }

  /** The deletions that were sent as a reader may be news to the server: if it says no, they are, and whose. */
  get offered(): Offer {
    return this.#offered;
  }

  /** An own edit was made. */
  edited(): void {
    this.#options.saved.edited();
    if (this.#options.saved.light === "offline") this.#reunion.worked();
  }

  close(): void {
    this.#closed = true;
    globalThis.removeEventListener?.("online", this.#again);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#provider?.destroy();
    this.#options.saved.closed();
  }

  async #attempt(): Promise<void> {
    if (this.#closed || this.#provider?.ws) return;
    try {
      this.#connect(await this.#options.fetchTicket());
    } catch (error) {
      if (error instanceof ApiError && error.status < 500 && error.status !== 429) this.#end(this.#doubt ?? error.message);
      else this.#retry(false);
    }
  }

  #connect(ticket: Ticket): void {
    if (this.#closed) return;
    if (this.#doubt !== null) return this.#options.on.refused(REFUSED);
    this.#stand(ticket.role, ticket.restriction);
    this.#part = undefined;
    if (ticket.epoch !== this.#options.epoch) return this.#anew();
    this.#provider ??= this.#build(ticket);
    this.#provider.params = { token: ticket.ticket, epoch: String(ticket.epoch) };
    this.#provider.connect();
  }

  #build(ticket: Ticket): WebsocketProvider {
    const at = ticket.ws_url.lastIndexOf("/");
    const provider = new WebsocketProvider(ticket.ws_url.slice(0, at), ticket.ws_url.slice(at + 1), this.#options.doc, {
      connect: false,
      disableBc: true,
      awareness: this.#options.awareness,
      shouldReconnect: () => false,
      WebSocketPolyfill: tapped({ outgoing: (frame) => this.#outgoing(frame), incoming: (frame) => this.#incoming(frame) }),
    });
    provider.on("status", ({ status }) => status === "connected" && this.#options.saved.opened());
    provider.on("sync", (synced) => synced && this.#settled());
    provider.on("connection-close", (event) => this.#lost(provider, event));
    return provider;
  }

  #settled(): void {
    this.#reunion.synced();
    this.#compared = true;
    this.#settledAt = Date.now();
    this.#staleTickets = 0;
  }

  /** Also the watchdog's close (no event) comes here: every way back leads through a new ticket. */
  #lost(provider: WebsocketProvider, event: CloseEvent | null): void {
    provider.shouldConnect = false;
    this.#options.saved.closed();
    this.#reunion.closed();
    if (this.#closed) return;
    if (Date.now() - this.#settledAt > GOOD_MS) this.#attempts = 0;
    this.#settledAt = Infinity;
    const end = ending(event?.code ?? 1006, event?.reason);
    switch (end.kind) {
      case "over":
        return this.#end(end.sentence);
      case "aside":
        return this.#options.on.refused(end.sentence);
      case "access":
        this.#doubt = end.sentence;
        return this.#wait(0);
      case "epoch":
        return this.#anew();
      case "ticket":
        this.#staleTickets += 1;
        if (this.#staleTickets > STALE_TICKETS_MAX) return this.#end("You could not be signed in to this project. Reload the page to try again.");
        return this.#retry(false);
      case "retry":
        if (end.sentence !== undefined) this.#options.on.waiting(end.sentence);
        return this.#retry(end.slow);
    }
  }

  #retry(slow: boolean): void {
    this.#wait(pause(this.#attempts, slow, Math.random()));
    this.#attempts += 1;
  }

  #wait(ms: number): void {
    if (this.#closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#attempt(), ms);
  }

  /** Whether something here may be one's own that the server lacks. */
  get #mine(): boolean {
    return !this.#compared || this.#options.saved.unsaved;
  }

  #anew(): void {
    this.#options.on.epochChanged(this.#mine);
  }

  #end(sentence: string): void {
    this.close();
    this.#options.on.over(sentence);
  }

  #stand(role: Role, restriction: Restriction | null): void {
    const before = JSON.stringify([this.#role, this.#restriction]);
    this.#role = role;
    this.#restriction = restriction;
    if (before !== JSON.stringify([role, restriction])) this.#options.on.role(role, restriction);
  }

  /** What the server has written into one's own presence. Which tracks are chosen it leaves to the API. */
  #stamped({ role, only, part }: Stamp): void {
    if (role === undefined) return;
    const told = part !== this.#part && this.#part !== undefined;
    this.#part = part;
    if (only !== "tracks") return this.#stand(role, only === undefined ? null : { only });
    if (this.#restriction?.only === "tracks" && !told) return this.#stand(role, this.#restriction);
    void this.#ask();
  }

  /** Presence comes twenty times a second: one question at a time. */
  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const ticket = await this.#options.fetchTicket().catch(() => null);
    this.#asking = false;
    if (ticket !== null && !this.#closed) this.#stand(ticket.role, ticket.restriction);
  }

  /**
   * Work of one's own from before one became a reader: it is sent, and the server keeps it as a draft and says no. A Step2
   * repeats every deletion that is known here, so that there are some says nothing: who has sent them waits for no answer.
   * What is not one's own is not sent, but for deletions alone: nothing else tells the server that one was told and lost.
   */
  #owes(step2: Uint8Array): "nothing" | "deletions" | "work" {
    const { structs, ds } = Y.decodeUpdate(step2);
    if (structs.length > 0) return this.#mine ? "work" : "nothing";
    return ds.clients.size > 0 ? "deletions" : "nothing";
  }

  #readersStep2(update: Uint8Array): boolean {
    const owed = this.#owes(update);
    if (owed === "work") return this.#sentStep2(update);
    this.#offered = owed !== "deletions" ? "nothing" : this.#mine ? "own" : "others'";
    return owed === "deletions";
  }

  #sentStep2(update: Uint8Array): true {
    this.#offered = "nothing";
    this.#options.saved.sentStep2(update);
    this.#reunion.sent(update);
    return true;
  }

  /** Else a reader sends no document updates; nobody repeats what others said of themselves. */
  #outgoing(frame: Frame): boolean {
    const { saved, doc } = this.#options;
    switch (frame.kind) {
      case "step2":
        return mayEdit(this.role) ? this.#sentStep2(frame.update) : this.#readersStep2(frame.update);
      case "update":
        if (!mayEdit(this.role)) return false;
        saved.sentUpdate(frame.update);
        return true;
      case "awareness":
        return frame.entries.every((entry) => entry.client === doc.clientID);
      default:
        return true;
    }
  }

  #incoming(frame: Frame): void {
    if (frame.kind === "step2") this.#reunion.got(frame.update);
    if (frame.kind === "update" && this.#options.saved.received(frame.update)) this.#reunion.acknowledged(frame.update);
    if (frame.kind === "denied") this.#options.on.denied(frame.reason);
    if (frame.kind !== "awareness") return;
    const own = frame.entries.find((entry) => entry.client === this.#options.doc.clientID)?.state as { user?: Stamp } | null | undefined;
    if (own?.user !== undefined) this.#stamped(own.user);
  }
}
