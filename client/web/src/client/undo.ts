/** Undo and redo of one's own gestures of this session, never of anybody else's. */

import * as Y from "yjs";
import { MUSICAL_ROOTS } from "./schema.ts";

export class Undo {
  readonly #manager: Y.UndoManager;

  constructor(doc: Y.Doc, origin: object) {
    const scope = MUSICAL_ROOTS.map((root) => doc.getMap<unknown>(root));
    this.#manager = new Y.UndoManager(scope, { trackedOrigins: new Set([origin]), captureTimeout: 500 });
  }

  get canUndo(): boolean {
    return this.#manager.canUndo();
  }

  get canRedo(): boolean {
    return this.#manager.canRedo();
  }

  undo(): void {
    this.#manager.undo();
  }

  redo(): void {
    this.#manager.redo();
  }

  /** What follows is a new step, however soon it comes. */
  boundary(): void {
    this.#manager.stopCapturing();
  }

  subscribe(listener: () => void): () => void {
    const events = ["stack-item-added", "stack-item-popped", "stack-cleared"] as const;
    for (const event of events) this.#manager.on(event, listener);
    return () => {
      for (const event of events) this.#manager.off(event, listener);
    };
  }

  close(): void {
    this.#manager.destroy();
  }
}
