/** The document as plain JSON, kept up to date entity by entity: what did not change stays the same object. */

import * as Y from "yjs";
import { ROOTS, type Canonical, type Json, type Root } from "./schema.ts";

type Roots = { -readonly [root in Root]: { [id: string]: Json } };

function plain(value: unknown): Json {
  if (value instanceof Y.Text) return value.toString();
  if (value instanceof Y.AbstractType) return value.toJSON() as Json;
  return value as Json;
}

function wholeRoot(doc: Y.Doc, root: Root): { [id: string]: Json } {
  const entries: { [id: string]: Json } = {};
  for (const [id, value] of doc.getMap<unknown>(root).entries()) entries[id] = plain(value);
  return entries;
}

/** Every root read at once. */
export function canonical(doc: Y.Doc): Canonical {
  return Object.fromEntries(ROOTS.map((root) => [root, wholeRoot(doc, root)])) as unknown as Canonical;
}

export class Mirror {
  readonly #doc: Y.Doc;
  readonly #listeners = new Set<() => void>();
  readonly #stops: (() => void)[] = [];
  #current: Canonical;

  constructor(doc: Y.Doc) {
    this.#doc = doc;
    this.#current = canonical(doc);
    for (const root of ROOTS) this.#follow(root);
  }

  get current(): Canonical {
    return this.#current;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #follow(root: Root): void {
    const map = this.#doc.getMap<unknown>(root);
    const observer = (events: Y.YEvent<Y.AbstractType<unknown>>[]): void => this.#refresh(root, map, touched(events));
    map.observeDeep(observer);
    this.#stops.push(() => map.unobserveDeep(observer));
  }

  #refresh(root: Root, map: Y.Map<unknown>, ids: ReadonlySet<string>): void {
    const entries = { ...this.#current[root] };
    for (const id of ids) {
      if (map.has(id)) entries[id] = plain(map.get(id));
      else delete entries[id];
    }
    const next: Partial<Roots> = { ...this.#current, [root]: entries };
    this.#current = next as Canonical;
    for (const listener of this.#listeners) listener();
  }
}

function touched(events: readonly Y.YEvent<Y.AbstractType<unknown>>[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const event of events) {
    const below = event.path[0];
    if (below !== undefined) ids.add(String(below));
    else for (const key of event.changes.keys.keys()) ids.add(key);
  }
  return ids;
}
