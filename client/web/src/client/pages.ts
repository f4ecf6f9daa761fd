/** Lists that the API tells in pages. */

import type { Page } from "./api.ts";

export type Ask<T> = (cursor?: string) => Promise<Page<T>>;

/** Every item of a list that is short enough to be read as a whole. */
export async function all<T>(ask: Ask<T>): Promise<readonly T[]> {
  const items: T[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await ask(cursor);
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}

/**
 * A list whose newest items come first. It can be looked at again at any time: what was read further back stays, and an
 * answer that is older than what is shown is dropped.
 */
export class Pages<T> {
  readonly #ask: Ask<T>;
  readonly #nameOf: (item: T) => string;
  readonly #listeners = new Set<() => void>();
  #items: readonly T[] = [];
  #next: string | null = null;
  #problem: string | null = null;
  #read = false;
  #asked = 0;
  #shown = 0;

  /** An item keeps its name when it changes. */
  constructor(ask: Ask<T>, nameOf: (item: T) => string) {
    this.#ask = ask;
    this.#nameOf = nameOf;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  /** Whether the list was told at all. */
  get read(): boolean {
    return this.#read;
  }

  get problem(): string | null {
    return this.#problem;
  }

  /** Reads further back; null at the end. */
  get more(): (() => void) | null {
    const next = this.#next;
    return next === null ? null : () => void this.further(next);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads the beginning. */
  async look(): Promise<void> {
    const number = ++this.#asked;
    const found = await this.#ask().catch((error: Error) => error);
    if (number < this.#shown) return;
    this.#shown = number;
    this.#tell(found, (page) => this.#begin(page));
  }

  async further(cursor: string): Promise<void> {
    const found = await this.#ask(cursor).catch((error: Error) => error);
    if (cursor !== this.#next) return;
    this.#tell(found, (page) => {
      const known = new Set(this.#items.map(this.#nameOf));
      this.#items = [...this.#items, ...page.items.filter((item) => !known.has(this.#nameOf(item)))];
      this.#next = page.next_cursor;
    });
  }

  /** What lies behind the first page stays, if that page reaches it: a gap would be a lie. */
  #begin(page: Page<T>): void {
    const fresh = new Set(page.items.map(this.#nameOf));
    const last = this.#items.findLastIndex((item) => fresh.has(this.#nameOf(item)));
    const behind = last < 0 || page.next_cursor === null ? [] : this.#items.slice(last + 1);
    this.#items = [...page.items, ...behind];
    if (behind.length === 0) this.#next = page.next_cursor;
    this.#read = true;
  }

  #tell(found: Page<T> | Error, show: (page: Page<T>) => void): void {
    this.#problem = found instanceof Error ? found.message : null;
    if (!(found instanceof Error)) show(found);
    for (const listener of this.#listeners) listener();
  }
}
