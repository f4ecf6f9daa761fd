/**
 * A project that was given a new epoch opens anew, and what this device holds of an earlier one is never merged. Whatever
 * of it the server has not seen goes there once, for a private draft.
 */

import * as encoding from "lib0/encoding";
import * as Y from "yjs";
import type { Ticket } from "./api.ts";
import { readFrame } from "./frames.ts";
import type { Memory } from "./memory.ts";
import { letGo, readCopy, type Place } from "./storage.ts";

const EPOCH_CHANGED = 4409;
const SYNC = 0;
const STEP1 = 0;
const STEP2 = 1;

/** `kept` as a draft; `denied` to somebody who may not write any more, a draft if it can be; or there was `nothing`. */
type Answer = "kept" | "denied" | "nothing";

/** True when there was work that nobody has. Throws when the server could not be asked: the copy stays, to be offered again. */
export async function bringHome(place: Place, fetchTicket: () => Promise<Ticket>, memory: Memory): Promise<boolean> {
  const doc = new Y.Doc();
  await readCopy(place, doc, memory);
  const answer = doc.store.clients.size === 0 ? "nothing" : await offer(doc, await fetchTicket());
  letGo(place, memory, answer !== "denied");
  return answer !== "nothing";
}

/**
 * What the server lacks and every deletion, as it tells nobody which it knows, together with the project's own facts: by
 * these it sees that it is of another lineage. Null when there can be nothing.
 */
export function unseen(doc: Y.Doc, vector: Uint8Array): Uint8Array | null {
  const { structs, ds } = Y.decodeUpdate(Y.encodeStateAsUpdate(doc, vector));
  if (structs.length === 0 && ds.clients.size === 0) return null;
  const known = Y.decodeStateVector(vector);
  for (const fact of doc.getMap("meta")._map.values()) known.delete(fact.id.client);
  return Y.encodeStateAsUpdate(doc, Y.encodeStateVector(known));
}

/**
 * One connection, without an epoch: with it, the server would hang up before it hears anything. It hangs up over work of
 * another lineage; if it lives to answer a question asked afterwards, there was none.
 */
function offer(doc: Y.Doc, ticket: Ticket): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${ticket.ws_url}?${new URLSearchParams({ token: ticket.ticket })}`);
    const done = (answer: Answer): void => {
      resolve(answer);
      socket.close();
    };
    socket.binaryType = "arraybuffer";
    socket.onclose = ({ code }) => (code === EPOCH_CHANGED ? resolve("kept") : reject(new Error(`The server hung up (${code}).`)));
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      const frame = readFrame(new Uint8Array(data));
      if (frame.kind === "denied") return done("denied");
      if (frame.kind === "step2") return done("nothing");
      if (frame.kind !== "step1") return;
      const update = unseen(doc, frame.vector);
      if (update === null) return done("nothing");
      socket.send(sync(STEP2, update));
      socket.send(sync(STEP1, frame.vector));
    };
  });
}

function sync(kind: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, SYNC);
  encoding.writeVarUint(encoder, kind);
  encoding.writeVarUint8Array(encoder, content);
  return new Uint8Array(encoding.toUint8Array(encoder));
}
