/**
 * What a return from offline work brought together: one's own changes that nobody had, and others' that one did not.
 *
 * A change is an entity that was made, or a field with a new value: moving one clip a hundred times is one. Own ones are
 * what the answer to the server's question held, others' what its answer held; both are counted once the own are committed.
 */

import * as Y from "yjs";
import { sameBytes } from "./frames.ts";

export interface Merged { readonly own: number; readonly others: number }

export class Reunion {
  readonly #doc: Y.Doc;
  readonly #tell: (merged: Merged) => void;
  /** This device held what others hold too, before or after a first synchronisation. */
  #known: boolean;
  #worked: boolean;
  #sent: Uint8Array | null = null;
  #got: Uint8Array | null = null;
  #saved = false;
  #synced = false;

  /** A document that already holds something was worked on before, perhaps offline. */
  constructor(doc: Y.Doc, tell: (merged: Merged) => void) {
    this.#doc = doc;
    this.#tell = tell;
    this.#known = this.#worked = Y.encodeStateVector(doc).length > 1;
  }

  /** An own edit was made without a connection. */
  worked(): void {
    this.#worked = this.#known;
  }

  /** The connection broke: the next one begins anew. */
  closed(): void {
    this.#sent = this.#got = null;
    this.#saved = this.#synced = false;
  }

  sent(step2: Uint8Array): void {
    this.#sent = step2;
    this.#look();
  }

  got(step2: Uint8Array): void {
    this.#got = step2;
  }

  /** What the server sent is in the document. */
  synced(): void {
    this.#synced = this.#known = true;
    this.#look();
  }

  /** An own update was committed. */
  acknowledged(update: Uint8Array): void {
    this.#saved ||= this.#sent !== null && sameBytes(this.#sent, update);
    this.#look();
  }

  #look(): void {
    if (!this.#worked || !this.#saved || !this.#synced || this.#sent === null || this.#got === null) return;
    const merged = { own: changes(this.#doc, this.#sent), others: changes(this.#doc, this.#got) };
    this.#worked = false;
    this.#sent = this.#got = null;
    if (merged.own > 0) this.#tell(merged);
  }
}

/** How many things an update changed, read in a document that holds it. */
export function changes(doc: Y.Doc, update: Uint8Array): number {
  const paths = Y.decodeUpdate(update).structs.flatMap((struct) => (struct instanceof Y.Item ? path(doc, struct.id) : []));
  const made = new Set(paths.filter((place) => place.length === 2).map(String));
  const fields = new Set(paths.filter((place) => place.length > 2 && !made.has(String(place.slice(0, 2)))).map((place) => String(place.slice(0, 3))));
  return made.size + fields.size;
}

/** Root, id and key of the place where a struct stands; none for what has been collected. */
function path(doc: Y.Doc, id: Y.ID): readonly (readonly string[])[] {
  const keys: string[] = [];
  let item: Y.Item | Y.GC | null = Y.getItem(doc.store, id);
  while (item instanceof Y.Item) {
    const parent = item.parent as Y.AbstractType<unknown>;
    if (item.parentSub !== null) keys.unshift(item.parentSub);
    if (parent._item === null) return [[Y.findRootTypeKey(parent), ...keys]];
    item = parent._item;
  }
  return [];
}

/** In words for people. */
export function mergedWords({ own, others }: Merged): string {
  const mine = own === 1 ? "Your change was" : `Your ${own} changes were`;
  if (others === 0) return `Welcome back. ${mine} saved; nobody else changed anything meanwhile.`;
  return `Welcome back. ${mine} merged with ${others === 1 ? "one" : others} by others.`;
}
