/** A value that tells when it changes, and the hooks that watch one. */

import { useEffect, useReducer, useRef } from "preact/hooks";

export class Store<T extends object> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(changes: Partial<T>): void {
    this.#value = { ...this.#value, ...changes };
    for (const listener of this.#listeners) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export interface Watched {
  subscribe(listener: () => void): () => void;
}

/** Renders again when the source tells of a change; many changes in a frame are one render. */
export function useChanges(source: Watched): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let frame = 0;
    const stop = source.subscribe(() => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        again(undefined);
      });
    });
    again(undefined);
    return () => {
      cancelAnimationFrame(frame);
      stop();
    };
  }, [source]);
}

const flat = (value: unknown): unknown[] => (typeof value === "object" && value !== null ? Object.values(value) : [value]);

function alike(a: unknown, b: unknown): boolean {
  const [left, right] = [flat(a), flat(b)];
  return left.length === right.length && left.every((part, at) => Object.is(part, right[at]));
}

/** Renders again only when what is picked (a value, or the parts of an object or list) differs. */
export function useSlice<T extends object, S>(store: Store<T>, pick: (value: T) => S): S {
  const [, again] = useReducer((count: number) => count + 1, 0);
  const picked = pick(store.value);
  const last = useRef({ pick, picked });
  last.current = { pick, picked };
  useEffect(() => {
    const look = (): void => {
      if (!alike(last.current.pick(store.value), last.current.picked)) again(undefined);
    };
    look();
    return store.subscribe(look);
  }, [store]);
  return picked;
}

export function useStore<T extends object>(store: Store<T>): T {
  useChanges(store);
  return store.value;
}
