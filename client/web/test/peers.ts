/** Yjs peers for tests: documents that speak to each other only when told to. */

import * as Y from "yjs";
import type { Pen } from "../src/client/edits.ts";
import { secureBelow } from "../src/client/ids.ts";
import { canonical } from "../src/client/mirror.ts";
import { Undo } from "../src/client/undo.ts";

export interface TestPeer { readonly doc: Y.Doc; readonly pen: Pen; readonly undo: Undo }

export function peer(client: number, seed?: Y.Doc): TestPeer {
  const doc = new Y.Doc();
  doc.clientID = client;
  if (seed !== undefined) Y.applyUpdate(doc, Y.encodeStateAsUpdate(seed));
  const origin = {};
  const undo = new Undo(doc, origin);
  const pen: Pen = { doc, origin, user: `user-${client}`, now: () => 1000 + client, below: secureBelow, gesture: () => undo.boundary() };
  return { doc, pen, undo };
}

/** Everybody gets everything; the origin is nobody's own. */
export function meet(...peers: readonly TestPeer[]): void {
  for (const from of peers) for (const to of peers) if (from !== to) Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc), "remote");
  for (const from of peers) for (const to of peers) if (from !== to) Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc), "remote");
}

export const state = (one: TestPeer): unknown => canonical(one.doc);
