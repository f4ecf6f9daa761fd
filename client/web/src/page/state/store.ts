/** A value that tells when it changes, and the hooks that watch one. */

import { useEffect, useReducer } from "preact/hooks";

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

export function useStore<T extends object>(store: Store<T>): T {
  useChanges(store);
  return store.value;
}
