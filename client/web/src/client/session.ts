/** One open project: the document, its copy on this device, its connection, undo, presence and the saved light. */

import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { mayEdit, type Api, type Person, type Restriction, type Role, type Ticket } from "./api.ts";
import { Connection } from "./connection.ts";
import type { Pen } from "./edits.ts";
import { secureBelow } from "./ids.ts";
import { Memory } from "./memory.ts";
import type { Merged } from "./merged.ts";
import { Mirror } from "./mirror.ts";
import { Presence } from "./presence.ts";
import { Saved } from "./saved.ts";
import { letGo, openCopy, setAside, type Copy, type Place } from "./storage.ts";
import { Undo } from "./undo.ts";

export interface SessionEvents {
  readonly role: (role: Role, restriction: Restriction | null) => void;
  /** The session is closed and must be opened anew; unsaved work was put aside under `draft`. */
  readonly reopen: (draft: string | null) => void;
  readonly over: (sentence: string) => void;
  /** Something to know that passes by itself. */
  readonly notice: (sentence: string) => void;
  /** Offline work was merged and is committed. */
  readonly merged: (merged: Merged) => void;
}

export interface SessionOptions {
  readonly api: Api;
  readonly project: string;
  readonly user: Person;
  readonly role: Role;
  readonly epoch: number;
  /** The same for every opening of a page: what the browser would not keep stands in it. */
  readonly memory?: Memory;
  readonly on: SessionEvents;
}

const placeOf = ({ project, epoch, user }: SessionOptions): Place => ({ project, epoch, user: user.id });

const LOCKED = "Somebody else holds this track: your change to it was undone.";

export class Session {
  readonly doc: Y.Doc;
  readonly mirror: Mirror;
  readonly undo: Undo;
  readonly saved: Saved;
  readonly presence: Presence;
  readonly pen: Pen;
  readonly #options: SessionOptions;
  readonly #memory: Memory;
  readonly #copy: Copy;
  readonly #connection: Connection;
  #role: Role;
  #restriction: Restriction | null = null;

  private constructor(options: SessionOptions, memory: Memory, doc: Y.Doc, copy: Copy) {
    const origin = {};
    const awareness = new Awareness(doc);
    this.#options = options;
    this.#memory = memory;
    this.#role = options.role;
    this.#copy = copy;
    this.doc = doc;
    this.mirror = new Mirror(doc);
    this.undo = new Undo(doc, origin);
    this.saved = new Saved();
    this.presence = new Presence(awareness, options.user);
    this.pen = { doc, origin, user: options.user.id, now: Date.now, below: secureBelow, gesture: () => this.undo.boundary() };
    doc.on("update", (_update: Uint8Array, from: unknown) => {
      if (from === origin || from instanceof Y.UndoManager) this.#connection.edited();
    });
    this.#connection = new Connection({
      doc, awareness, saved: this.saved, epoch: options.epoch,
      fetchTicket: (): Promise<Ticket> => options.api.ticket(options.project),
      on: {
        role: (role, restriction) => this.#newRole(role, restriction),
        denied: (reason) => this.#denied(reason),
        waiting: (sentence) => options.on.notice(sentence),
        epochChanged: (mine) => void this.#beginAnew(mine),
        refused: (sentence) => this.#putAside(sentence),
        merged: (merged) => options.on.merged(merged),
        over: (sentence) => options.on.over(sentence),
      },
    });
  }

  /** Reads the device's copy first: the connection then sends what the server lacks. */
  static async open(options: SessionOptions): Promise<Session> {
    const { memory = new Memory() } = options;
    const doc = new Y.Doc();
    const copy = await openCopy(placeOf(options), doc, memory);
    return new Session(options, memory, doc, copy);
  }

  get role(): Role {
    return this.#role;
  }

  get canEdit(): boolean {
    return mayEdit(this.#role);
  }

  /** What an editor may change, if not everything. */
  get restriction(): Restriction | null {
    return this.#restriction;
  }

  async close(): Promise<void> {
    this.presence.close();
    this.#connection.close();
    this.undo.close();
    this.mirror.close();
    await this.#copy.close();
    this.doc.destroy();
  }

  /** What a reader has not sent is still to come, as long as there is no connection. */
  #newRole(role: Role, restriction: Restriction | null): void {
    this.#role = role;
    this.#restriction = restriction;
    this.#options.on.role(role, restriction);
    if (!mayEdit(role) && this.saved.unsaved && this.saved.light !== "offline") this.#reopen(true);
  }

  /**
   * In another epoch the copy here is void: the next opening offers the server what nobody else has. In the same one it
   * is of another lineage, and the server has just made a draft of it; or it shows a reader what nobody saved.
   */
  async #beginAnew(mine: boolean): Promise<void> {
    const { unsaved } = this.saved;
    const { api, project, epoch, on } = this.#options;
    await this.close();
    const found = await api.project(project).catch(() => null);
    if (found?.epoch === epoch && unsaved) return on.reopen(this.#aside());
    if (found !== null && !mine) letGo(placeOf(this.#options), this.#memory, true);
    on.reopen(null);
  }

  #aside(): string {
    return setAside(placeOf(this.#options), this.#memory);
  }

  /** Without unsaved work there is nothing to put aside, and coming back would only be refused again. */
  #putAside(sentence: string): void {
    if (this.saved.unsaved) return this.#reopen(true);
    this.#connection.close();
    this.#options.on.over(sentence);
  }

  /**
   * On a locked track an edit is taken and undone: nothing is lost that could be kept. Of a reader, a deletion that was
   * told and lost is shown no more.
   */
  #denied(reason: string): void {
    if (reason.startsWith("locked:")) return this.#options.on.notice(LOCKED);
    const { offered } = this.#connection;
    if (this.saved.unsaved || offered === "own") return this.#reopen(true);
    if (offered === "others'") void this.#beginAnew(false);
  }

  #reopen(draft: boolean): void {
    const name = draft ? this.#aside() : null;
    void this.close().then(() => this.#options.on.reopen(name));
  }
}
